"""``python -m bench`` (``make bench``): every benchmark, one after the other."""

from bench import drivers

if __name__ == "__main__":
    drivers.main()
