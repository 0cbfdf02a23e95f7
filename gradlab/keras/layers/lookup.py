"""Words, and numbers that are names, as row numbers of a vocabulary: text that a network can read.

The vocabulary is found in the training data, most frequent first, and travels with the layer.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.encoding import MODES, checked_mode, encoded, encoded_shape

ALL_MODES = (*MODES, "tf_idf")
PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
NO_PLACE = -1


class Lookup(Layer):
    """Base of the layers with a vocabulary: ``layer(words)`` gives their numbers in it.

    Number 0 is the mask, if there is one; then come the numbers of the unknown, then the words.

    Args:
        max_tokens: the size of the vocabulary at most, with mask and unknown; None for all.
        num_oov_indices: how many numbers the words outside of the vocabulary have; with 0, an
            unknown word is an error.
        mask_token: what fills up short sequences; its number is 0, and it does not count.
        oov_token: what stands for the unknown in the vocabulary.
        vocabulary: the words, in order; or `adapt` finds them.
        idf_weights: for "tf_idf", a weight for each word of the vocabulary.
        invert: numbers go in, words come out.
        output_mode: "int"; "one_hot", "multi_hot" or "count" as in `CategoryEncoding`; "tf_idf" for
            counts times log(1 + documents / (1 + documents with the word)).
        pad_to_max_tokens: rows of ``max_tokens`` numbers, even if there are fewer words.

    Raises:
        ValueError: a word twice in the vocabulary, more words than ``max_tokens``, or an unknown
            word where there is no number for it.
        RuntimeError: used before `adapt`.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = None,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        **more: Any,
    ) -> None:
        more.pop("vocabulary_size", None)  # in files of Keras
        super().__init__(**more)
        self.output_mode = checked_mode(type(self).__name__, output_mode, ALL_MODES)
        if (invert and self.output_mode != "int") or (pad_to_max_tokens and max_tokens is None):
            raise ValueError(
                f"{type(self).__name__}: invert={invert}, output_mode={output_mode!r}, "
                f"max_tokens={max_tokens}\n"
                "expected output_mode='int' to go back, and max_tokens to fill rows up to it\n"
                "write fewer of these arguments"
            )
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.pad_to_max_tokens = invert, pad_to_max_tokens
        self._words: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._weights: np.ndarray | None = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def kind(self, word: Any) -> Any:
        """Return a word of the data as the vocabulary has it."""
        return str(word)

    # -------------------------------------------------------------------------- the vocabulary

    def _special(self) -> list[Any]:
        """Return what comes before the words: the mask, where it has a number, and the unknown."""
        mask = [self.mask_token] if self._mask_has_a_number() else []
        return mask + [self.oov_token] * self.num_oov_indices

    def _mask_has_a_number(self) -> bool:
        return self.mask_token is not None and self.output_mode == "int"

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take these words for the vocabulary, with or without mask and unknown in front.

        Args:
            vocabulary: a list, an array, or the name of a text file with a word in each line.
            idf_weights: for "tf_idf", a weight for each of them.
        """
        if isinstance(vocabulary, str):
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = file.read().splitlines()
        words, special = [self.kind(word) for word in vocabulary], self._special()
        begins = bool(special) and words[: len(special)] == special
        words = words[len(special) :] if begins else words
        self._check(words, len(special))
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise ValueError(
                f"{self.name}: idf_weights={idf_weights} with output_mode={self.output_mode!r}\n"
                "expected a weight for each word with 'tf_idf', and none otherwise\n"
                "write adapt(data), which finds both"
            )
        self._words = words
        self._numbers = {word: k for k, word in enumerate(words, len(special))}
        if idf_weights is not None:
            weights = np.asarray(idf_weights, self.dtype)
            front = [] if begins else [weights.mean()] * len(special)
            self._weights = np.concatenate([front, weights]).astype(self.dtype)

    def _check(self, words: list[Any], special: int) -> None:
        twice = [word for word, count in Counter(words).items() if count > 1]
        if not words or twice or self.mask_token in words:
            what = f"{(twice or [self.mask_token])[0]!r} twice in it" if words else "no word in it"
            raise ValueError(
                f"{self.name}: a vocabulary with {what}\nexpected each word once\n"
                "write sorted(set(words)), or adapt(data)"
            )
        if self.max_tokens is not None and special + len(words) > self.max_tokens:
            raise ValueError(
                f"{self.name}: a vocabulary of {special + len(words)} with max_tokens="
                f"{self.max_tokens}\nexpected no more than that, mask and unknown among them\n"
                f"write vocabulary[:{self.max_tokens - special}]"
            )

    def adapt(self, data: Any) -> None:
        """Find the vocabulary: the words of the data, the most frequent first.

        Of words that are as frequent, the last in the alphabet comes first, as in Keras.

        Args:
            data: an array or a list of words, or of lists of words; or batches of them.
        """
        counts, documents, rows = Counter[Any](), Counter[Any](), 0
        for document in self._documents(data):
            counts.update(document)
            documents.update(set(document))
            rows += 1
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        words = sorted(counts, key=lambda word: (counts[word], word), reverse=True)
        if self.max_tokens is not None:
            words = words[: self.max_tokens - len(self._special())]
        weights = None
        if self.output_mode == "tf_idf":
            weights = [np.log1p(rows / (1 + documents[word])) for word in words]
        self.set_vocabulary(words, weights)

    def _documents(self, data: Any) -> Iterable[list[Any]]:
        """Yield the words of each document, as `kind` makes them."""
        if not hasattr(data, "__array__") and not isinstance(data, list | tuple):
            for batch in data:
                yield from self._documents(batch)
            return
        for row in data:
            plain = np.ravel(np.asarray(row)).tolist()
            yield [self.kind(word) for word in plain]

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the words in the order of their numbers."""
        return [*self._special(), *self._words] if include_special_tokens else list(self._words)

    def vocabulary_size(self) -> int:
        """Return how many words there are, mask and unknown among them."""
        return len(self._special()) + len(self._words)

    # ------------------------------------------------------------------------------- computing

    def build(self, input_shape: Any) -> None:
        """There are no weights."""

    def _to_floats(self, x: Any) -> Any:
        return x if hasattr(x, "call") else np.asarray(x)

    def call(self, inputs: Any) -> Any:
        if not self._words:
            raise RuntimeError(
                f"{self.name}: used before it has a vocabulary\n"
                "expected adapt() on the training data first, or vocabulary=[...]\n"
                "write layer.adapt(words)"
            )
        inputs = np.asarray(inputs)
        return self._back(inputs) if self.invert else self._encoded(self._found(inputs))

    def _back(self, numbers: np.ndarray) -> np.ndarray:
        words, count = self.get_vocabulary(), self.vocabulary_size()
        found = [words[n] if 0 <= n < count else self.oov_token for n in numbers.ravel().tolist()]
        return np.array(found).reshape(numbers.shape)

    def _found(self, words: np.ndarray) -> np.ndarray:
        numbers = [self._number(self.kind(word)) for word in words.ravel().tolist()]
        return np.array(numbers, np.int64).reshape(words.shape)

    def _number(self, word: Any) -> int:
        if word in self._numbers:
            return self._numbers[word]
        if self.mask_token is not None and word == self.mask_token:
            return 0 if self._mask_has_a_number() else NO_PLACE
        if not self.num_oov_indices:
            raise ValueError(
                f"{self.name}: {word!r} is not in the vocabulary\n"
                f"expected one of its {len(self._words)} words, since num_oov_indices=0\n"
                "write num_oov_indices=1 for a number that all unknown words share"
            )
        return int(self._mask_has_a_number()) + self._bucket(word)

    def _bucket(self, word: Any) -> int:
        """Return which number of the unknown a word has."""
        raise NotImplementedError

    def _encoded(self, numbers: np.ndarray) -> np.ndarray:
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        y = encoded(numbers, self._depth(), mode, self.dtype)
        if self._weights is None:
            return y
        weights = np.zeros(self._depth(), self.dtype)
        weights[: len(self._weights)] = self._weights
        return y * weights

    def _depth(self) -> int:
        padded = self.max_tokens if self.pad_to_max_tokens else None
        return self.vocabulary_size() if padded is None else padded

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self._depth(), self.output_mode)

    def get_config(self) -> dict[str, Any]:
        names = (
            *("max_tokens", "num_oov_indices", "mask_token", "oov_token", "invert"),
            *("output_mode", "pad_to_max_tokens"),
        )
        config = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        config["vocabulary"] = self.get_vocabulary() if self._words else None
        config["idf_weights"] = None if self._weights is None else self._weights.tolist()
        return config


class StringLookup(Lookup):
    """Words as numbers, or back.

    With several numbers for the unknown, a checksum says which one a word has (not that of Keras).

    Args:
        max_tokens, more: the arguments of `Lookup`; ``oov_token`` is "[UNK]".

    >>> layer = StringLookup(vocabulary=["a", "b"])
    >>> layer(np.array([["a", "b"], ["b", "z"]]))
    array([[1, 2],
           [2, 0]])
    >>> layer.get_vocabulary()
    ['[UNK]', 'a', 'b']
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        encoding: str = "utf-8",
        **more: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, **more)

    def kind(self, word: Any) -> str:
        return word.decode(self.encoding) if isinstance(word, bytes) else str(word)

    def _bucket(self, word: str) -> int:
        return zlib.crc32(word.encode()) % self.num_oov_indices

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "encoding": self.encoding}


class IntegerLookup(Lookup):
    """Numbers that are names (of products, of postal districts) as row numbers, or back.

    Args:
        max_tokens, more: the arguments of `Lookup`; ``oov_token`` is -1.

    >>> layer = IntegerLookup()
    >>> layer.adapt([10, 1000, 1000, 7])
    >>> layer([[1000, 10, 3]])
    array([[1, 2, 0]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        **more: Any,
    ) -> None:
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, **more)

    def kind(self, word: Any) -> int:
        return int(word)

    def _bucket(self, word: int) -> int:
        return word % self.num_oov_indices


class TextVectorization(Lookup):
    """Text as numbers: made plain, cut into words, and these looked up in a vocabulary.

    Number 0 fills up short texts, 1 is the unknown word.

    Args:
        max_tokens: the size of the vocabulary at most.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a
            function of an array of texts.
        split: "whitespace", "character", None, or a function from a text to its words.
        ngrams: 2 also takes pairs of neighbours for words; a tuple of numbers takes only these.
        output_mode: as for `Lookup`.
        output_sequence_length: with "int", numbers per text: shorter ones are filled up with 0,
            longer ones cut; by default, those of the longest.
        more: further arguments of `Lookup`.

    >>> layer = TextVectorization()
    >>> layer.adapt(["The cat sat.", "The dog!"])
    >>> layer(["the cat", "A dog sat down"])
    array([[2, 5, 0, 0],
           [1, 4, 3, 1]])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        encoding: str = "utf-8",
        **more: Any,
    ) -> None:
        known = {
            "standardize": ["lower_and_strip_punctuation", "lower", "strip_punctuation"],
            "split": ["whitespace", "character"],
        }
        for name, given in (("standardize", standardize), ("split", split)):
            if not (given is None or callable(given) or given in known[name]):
                raise ValueError(
                    f"TextVectorization: {name}={given!r}\n"
                    f"expected {', '.join(map(repr, known[name]))}, None or a function\n"
                    f"write {name}={known[name][0]!r}"
                )
        if output_sequence_length is not None and output_mode != "int":
            raise ValueError(
                f"TextVectorization: output_sequence_length={output_sequence_length} with "
                f"output_mode={output_mode!r}\nexpected it with 'int' only: the others have a "
                "number for each word of the vocabulary\nwrite output_mode='int'"
            )
        self.standardize: Any = standardize
        self.split: Any = split
        self.encoding = encoding
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        self.output_sequence_length = output_sequence_length
        more = {"mask_token": "", "oov_token": "[UNK]", **more}
        super().__init__(max_tokens, output_mode=output_mode, **more)

    _bucket = StringLookup._bucket

    def words(self, text: Any) -> list[str]:
        """Return the words of a text."""
        text = text.decode(self.encoding) if isinstance(text, bytes) else str(text)
        plain, split = self.standardize, self.split
        if callable(plain):
            found: Any = plain(np.array([text]))
            text = str(np.ravel(found)[0])
        elif plain is not None:
            text = text.lower() if "lower" in plain else text
            text = PUNCTUATION.sub("", text) if "punctuation" in plain else text
        if callable(split):
            cut: Any = split(text)
            words = [str(word) for word in cut]
        else:
            ways: Any = {"whitespace": str.split, "character": list}
            words = ways[split](text) if split else [text]
        if self.ngrams is None:
            return words
        sizes = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(words[k : k + n]) for n in sizes for k in range(len(words) - n + 1)]

    def _documents(self, data: Any) -> Iterable[list[str]]:
        for texts in super()._documents(data):
            for text in texts:
                yield self.words(text)

    def _found(self, words: np.ndarray) -> np.ndarray:
        texts = words[..., 0] if words.ndim > 1 and words.shape[-1] == 1 else words
        rows = [[self._number(w) for w in self.words(t)] for t in texts.ravel().tolist()]
        length = self.output_sequence_length
        length = max(map(len, rows), default=0) if length is None else length
        filler = 0 if self.output_mode == "int" else NO_PLACE
        table = np.full((len(rows), length), filler, np.int64)
        for row, numbers in zip(table, rows, strict=True):
            row[: len(numbers)] = numbers[:length]
        return table.reshape(*texts.shape, length)

    def compute_output_shape(self, input_shape: Any) -> Any:
        texts = input_shape[:-1] if len(input_shape) > 1 and input_shape[-1] == 1 else input_shape
        width = self.output_sequence_length if self.output_mode == "int" else self._depth()
        return (*texts, width)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("mask_token", "oov_token", "num_oov_indices", "invert"):
            del config[name]  # always the same
        names = ("standardize", "split", "ngrams", "output_sequence_length", "encoding")
        return {**config, **{name: getattr(self, name) for name in names}}
