"""What is asked of every error message."""


def says(error, *words):
    """Assert that a message of three lines has these words."""
    text = str(error.value)
    assert len(text.split("\n")) == 3, text
    for word in words:
        assert word in text
