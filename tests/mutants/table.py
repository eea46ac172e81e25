"""Prints the mutants and the check that caught each, as Markdown: `python tests/mutants/table.py`."""

from __future__ import annotations

from catalogue import everyone, failures


def main() -> None:
    """Runs every check on every mutant."""
    print("| kind | mutant | source | caught by |\n| --- | --- | --- | --- |")
    for kind, mutant in everyone():
        caught = ", ".join(failures(kind, mutant)) or "nothing"
        print(f"| {kind} | {mutant.id} | {mutant.source} | {caught} |")


if __name__ == "__main__":
    main()
