"""Everything: python -m benchmarks"""

from benchmarks import drawing, training

if __name__ == "__main__":
    drawing.main()
    print()
    training.main()
