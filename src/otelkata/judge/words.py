"""Put numbers into sentences."""


def counted(number: int, one: str, several: str) -> str:
    """Return `number` with the word for so many: `one` for 1, `several` for all else."""
    return f"{number} {one if number == 1 else several}"
