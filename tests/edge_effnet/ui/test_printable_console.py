"""What tables and notes show of names and labels that others wrote."""

from __future__ import annotations

import io

from rich.text import Text

from edge_effnet.ui.console import PrintableConsole
from edge_effnet.ui.tables import name_text, say, table


def test_escape_sequences_of_others_are_shown_and_those_of_rich_stay() -> None:
    out = PrintableConsole(
        file=io.StringIO(), force_terminal=True, width=60, markup=False, color_system="standard"
    )
    say(out, "warning: \x1b[2Jcat\u202e", "yellow")
    rows = table("label", "share")
    rows.add_row(name_text("dog\x1b]0;title\x07\n\udce9"), Text("1"))
    out.print(rows)
    assert isinstance(out.file, io.StringIO)
    written = out.file.getvalue()
    assert "\x1b[33mwarning: \\x1b[2Jcat\\u202e" in written
    assert "dog\\x1b]0;t" in written
    assert r"\xe9" in written
    assert "\x1b]0" not in written
    assert written.count("\n") == 4
