"""The benchmark on the command line: python -m gradlab.testing.benchmark."""

from gradlab.testing.benchmark.tables import main

if __name__ == "__main__":
    main()
