"""Writes docs/commands.md from the help pages: `make docs`. A test compares the two."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from askwell.cli import main
from askwell.cli.edit import EDITS
from askwell.cli.main import COMMANDS

HEAD = """# The command line

Written from the help pages by `make docs`. Every command does what a function or a method of the library does:

| command | library |
|---|---|
| `askwell run` | [`askwell.run`](projects.md#run) |
| `askwell select` | [`askwell.select`](strategies.md#without-a-loop) |
| `askwell create`, `ask`, `tell`, `train`, `predict` | [methods of `Project`](projects.md) |
| `askwell status`, `export`, `edit` | `Project.status`, `export`, `export_model`, `add`, `remove`, `add_class`, … |
| `askwell list`, `askwell show` | the docstrings and fields of the parts |
| `askwell doctor` | what is installed, and where things are kept |

A message to a person is one line on standard error that begins with `error: `; the exit code says what kind of error
it was. `askwell --debug COMMAND` also shows where it came from. Progress and warnings go to standard error, results to
standard output.

Every command has `--json`: one JSON document on standard output and nothing else; an error is
`{"error": …, "exit_code": …}` on standard error. Every command has `--quiet`: no progress, and of the result only what
a script would ask for, such as the path that was written or the ids; nothing where there is neither.

## A spreadsheet is enough to label

```
askwell create films films.csv --text review --key id --classes neg,pos --strategy badge
askwell ask films -n 20 -o questions.csv
askwell tell films questions.csv
askwell train films
askwell ask films -n 20 -o questions.csv
askwell predict films new.csv -o out.csv
askwell export films --model model
```

Between `ask` and `tell` somebody fills in the column `label`. The file has the columns `question` (its number), `id`
(yours), `item` (the text, or the path of the picture), `choices`, `score` (how much the question is wanted), `label`,
and `note`, which only people read. Texts that a spreadsheet program would run as a formula stand behind an apostrophe.

| `label` | means |
|---|---|
| empty | no answer yet |
| a class, by its name | the label |
| `a;b` (or a bar in place of the semicolon), `[]` | several labels; none of them |
| a number | the label of a regression; `2,5` in a file with semicolons |
| `?` | looked at, and cannot tell: counts as an answer, and gives no label |
| `-` or `skip` | not wanted by this annotator; others may still answer |

`tell` takes any table with the column `label` and `question` or `id`: commas, semicolons or tabs, UTF-8 or UTF-16,
other encodings by `--encoding`, or .jsonl. It records all rows or none: every row that is refused is named in one
message. The same file again changes nothing. An answer that differs from an earlier one needs `--correct`, a label for
an item that was not asked `--volunteer`.

## Settings of a folder

Options that every call would repeat can stand in `askwell.toml` of the current folder, or in the file that
`askwell --config FILE COMMAND` names:

```
device = "cuda"                  # for all commands that share the option

[run]                            # for one command
strategy = "badge"
pool-size = 10_000
quiet = true                     # --no-quiet turns it off again

[edit.add]
text = "review"
```

The command line comes first, then the table of the command, then the top of the file. A table or an option that there
is not is refused with the nearest name, and so is a value of the wrong type. `askwell doctor` shows which file is in
use.
"""


def help_page(*command: str) -> str:
    """What `askwell COMMAND --help` prints in a terminal of 80 columns."""
    os.environ["COLUMNS"] = "80"
    text = StringIO()
    with redirect_stdout(text):
        main([*command, "--help"])
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


def page() -> str:
    """The whole page."""
    commands = [(), *((name,) for name in (*COMMANDS, "edit")), *(("edit", name) for name in EDITS)]
    return HEAD + "".join(
        f"\n## {' '.join(['askwell', *words])}\n\n```\n{help_page(*words)}\n```\n" for words in commands
    )


if __name__ == "__main__":
    (Path(__file__).parent / "commands.md").write_text(page(), encoding="utf-8")
