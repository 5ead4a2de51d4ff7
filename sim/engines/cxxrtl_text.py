"""The C++ text of CXXRTL made faster to run, and to compile, for a loop of one clock.

CXXRTL writes for drivers that call it in any way. Here every call of ``eval`` is one rising edge
of the only clock, and a design without feedback settles in that one call. What is changed is found
by its form; where the form is another, the text stays as it is, which is slower and as right.
"""

from __future__ import annotations

import re

__all__ = ["single_pass", "specialise"]

_CHUNK = 100_000
"""Characters of one function: compilers take far more than twice as long for twice the text."""

_EDGE = "\tbool posedge_p_clk = this->posedge_p_clk();\n"
_CONSTANT_EDGE = "\tconstexpr bool posedge_p_clk = true;\n"
_CONVERGED = "\tbool converged = true;\n"
_COMMIT = re.compile(r"^\t\tif \((p_\w+)\.commit\(observer\)\) changed = true;$", re.MULTILINE)
_LOCAL = re.compile(r"\tvalue<(\d+)> (\w+);")
_WORD = re.compile(r"\w+")


def single_pass(text: str) -> bool:
    """Whether one call of ``eval`` settles the design: it has no feedback but by registers."""
    return _CONVERGED in text


def specialise(text: str, top: str) -> str:
    """Return :py:`text`, of a design that settles in one pass, for calls at rising edges only.

    Parameters
    ----------
    text : str
        What ``write_cxxrtl`` wrote.
    top : str
        Name of the class of the design.
    """
    text = _COMMIT.sub(r"\t\t\1.curr = \1.next;", text)  # nobody asks what has changed
    head = f"bool {top}::eval(performer *performer) {{\n{_CONVERGED}{_EDGE}"
    tail = "\treturn converged;\n}\n"
    member = "\tbool eval(performer *performer = nullptr) override;\n"
    before, _, rest = text.partition(head)
    body, _, after = rest.partition(tail)
    if not after or before.count(member) != 1:
        return text
    chunks, sizes = _chunks(body)
    uses = [set(_WORD.findall(chunk)) for chunk in chunks]
    found = {name: sum(name in use for use in uses) for name in set().union(*uses)}
    if len(chunks) < 2 or any(n > 1 for name, n in found.items() if name.startswith("tmp_")):
        return f"{before}{head}{body}{tail}{after}".replace(_EDGE, _CONSTANT_EDGE)
    shared = [name for name in sizes if found.get(name, 0) > 1]
    functions = []
    for index, (chunk, use) in enumerate(zip(chunks, uses, strict=True)):
        own = [name for name in sizes if name in use and found[name] == 1]
        functions.append(
            f"__attribute__((noinline)) void {top}::eval_{index}() {{\n{_CONSTANT_EDGE}"
            f"{_declared(own, sizes)}{chunk}}}\n\n"
        )
    calls = "".join(f"\teval_{index}();\n" for index in range(len(chunks)))
    members = "".join(f"\tvoid eval_{index}();\n" for index in range(len(chunks)))
    return (
        before.replace(member, f"{member}{members}{_declared(shared, sizes)}")
        + "".join(functions)
        + f"bool {top}::eval(performer *performer) {{\n{calls}\treturn true;\n}}\n"
        + after
    )


def _chunks(body: str) -> tuple[list[str], dict[str, str]]:
    """Cut the statements of ``eval`` into chunks; return the widths of its variables too.

    Every statement that stands for itself begins with a comment, which is where it may be cut.
    """
    chunks: list[str] = []
    lines: list[str] = []
    size, cut = 0, False
    sizes: dict[str, str] = {}
    for line in body.splitlines(keepends=True):
        variable = _LOCAL.fullmatch(line.rstrip("\n"))
        if variable is not None:
            sizes[variable[2]] = variable[1]
        elif line.startswith("\t//"):
            cut = True
        else:
            if cut and size > _CHUNK:
                chunks.append("".join(lines))
                lines, size = [], 0
            lines.append(line)
            size, cut = size + len(line), False
    return [*chunks, "".join(lines)], sizes


def _declared(names: list[str], sizes: dict[str, str]) -> str:
    """Return the declarations of variables."""
    return "".join(f"\tvalue<{sizes[name]}> {name};\n" for name in names)
