"""The two parts of scripts/docs that are more than a line of shell: gathering the pages of the site
from the repository, and running the commands that they show. Standard library only."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Pages at the top of the repository, and what they are called in the site.
TOP = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def moved(text, source):
    """The text with each link to a file as the site needs it: to another page, or no link at all
    if it leads to a file that the site does not have."""

    def target(found):
        before, link, after = found.groups()
        if "://" in link or link.startswith(("mailto:", "/")):
            return found.group(0)
        path = os.path.normpath(os.path.join(source.parent, link))
        assert os.path.exists(path), f"{source}: {link} leads nowhere"
        if path in TOP:
            place = TOP[path]
        elif path.startswith("docs/") and not os.path.isdir(path):
            place = path[len("docs/") :]
        else:
            up = "../" * (len(source.parts) - 2 if source.parts[0] == "docs" else 0)
            return f"]({up}repository.md)"
        here = TOP.get(str(source)) or str(source.relative_to("docs"))
        return before + os.path.relpath(place, os.path.dirname(here)) + after

    text = LINK.sub(target, text)
    # Pictures that README.md shows with a width.
    return re.sub(r'src="docs/', 'src="', text)


def gather(folder):
    """Lays the pages of the site out in a folder, beside its settings."""
    pages = folder / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree("docs", pages, ignore=shutil.ignore_patterns("*.md", "site.yml"))
    for source in [*map(Path, TOP), *Path("docs").rglob("*.md")]:
        place = TOP.get(str(source)) or source.relative_to("docs")
        (pages / place).parent.mkdir(parents=True, exist_ok=True)
        (pages / place).write_text(moved(source.read_text(), source))
    (pages / "repository.md").write_text(
        "# In the repository\n\nThis link leads to a file of the repository that is no page of "
        "this site: a program, a test or data.\n"
    )
    shutil.copy("docs/site.yml", folder / "mkdocs.yml")


def blocks(text):
    """The commands of every `console` block with the answers that stand below them."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            yield command, answer


def fits(answer, expected):
    """Whether an answer is the expected one, in which `...` stands for anything."""
    parts = (re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(".*?".join(parts), answer.strip(), re.DOTALL) is not None


def commands(program):
    """Runs the `console` blocks of each page, one page in one empty folder."""
    ran, faults = 0, []
    pages = [*map(Path, TOP), *Path("docs").rglob("*.md")]
    for page in sorted(pages):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{program.parent}:{os.environ['PATH']}"
            environment = {"PATH": path, "HOME": folder, "LANG": "C.UTF-8"}
            for command, expected in blocks(page.read_text()):
                ended = subprocess.run(
                    ["bash", "-c", command],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=60,
                )
                ran += 1
                if ended.returncode != 0 or not fits(ended.stdout, expected):
                    faults.append(
                        f"{page}: $ {command}\nended with {ended.returncode}, and said\n"
                        f"{ended.stdout}\ninstead of\n{expected}"
                    )
    print(*faults, sep="\n", file=sys.stderr)
    print(f"{ran - len(faults)} passed, {len(faults)} failed")
    return 1 if faults or ran == 0 else 0


def main():
    command, argument = sys.argv[1:]
    if command == "gather":
        return gather(Path(argument))
    return commands(Path(argument))


sys.exit(main())
