"""The table of docs/publishers/stomp.md that says what is said when a broker cannot be used."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "publishers" / "stomp.md"


def is_on_the_page(message: str) -> bool:
    """Whether some row has the words of this message; `…` there stands for anything, a number for any."""
    section = PAGE.read_text().partition("\n## When it fails\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \| ", section, re.MULTILINE)
    told = [words.replace("\\|", "|") for row in rows for words in re.findall(r"`(.*?)`", row)]
    patterns = [re.sub(r"\d+", r"\\d+", re.escape(words).replace("…", ".*")) for words in told]
    return any(re.search(pattern, message, re.DOTALL) for pattern in patterns)
