"""The JavaScript verifier under Node, by its own tests; and `verify.html`, which is made of it."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests/verifier_js"
PAGE = ROOT / "notary/services/package_tools/verify.html"

_spec = importlib.util.spec_from_file_location("make_verify_page", ROOT / "scripts/make_verify_page.py")
maker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(maker)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.test.mjs")))
def test_the_verifier_passes_its_tests_in_node(name):
    assert (FOLDER / "node_modules/@noble/curves").is_dir(), (
        "what the verifier is compared with is missing: run `scripts/bootstrap oracles`"
    )
    command = ["node", "--test", "--test-reporter=tap", name]
    run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout
    assert "# skipped 0" in run.stdout
    assert "# pass 0" not in run.stdout


def test_making_the_page_again_gives_the_page_that_is_shipped():
    assert PAGE.read_bytes() == maker.make_page(), "run `python scripts/make_verify_page.py`"


def test_every_module_is_in_the_page():
    modules = {path.resolve() for path in maker.MODULES.rglob("*.js")}
    assert modules == set(maker.ordered(maker.MODULES / "page/main.js"))


def test_nothing_of_node_or_of_others_is_in_the_page():
    text = PAGE.read_text(encoding="utf-8")
    assert '"node:' not in text
    assert "noble" not in text
    assert "default-src 'none'" in text


def module(folder, name, text):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_modules_become_functions_in_the_order_of_their_need(tmp_path):
    module(tmp_path, "page/main.js", 'import { a as b } from "../one.js";\nb();\n')
    module(
        tmp_path, "one.js", "export const a = 1;\nexport async function f() {}\nconst c = 2;\nexport { c };\n"
    )
    module(tmp_path, "page/style.css", "p {}")
    page = maker.make_page(tmp_path).decode()
    assert page.index("$one =") < page.index("$page_main =")
    assert "const { a: b } = $one;" in page
    assert "return { a, f, c };" in page
    assert "export" not in page.split("<script")[1]


@pytest.mark.parametrize(
    "text",
    [
        'import x from "./x.js";\n',
        "export default 1;\n",
        "export * from 'x';\n",
        "a = import('x');\n",
        "'</script>'\n",
    ],
)
def test_a_module_of_another_form_is_refused(tmp_path, text):
    path = module(tmp_path, "x.js", text)
    with pytest.raises(ValueError, match="is not known here"):
        maker.wrapped(path, tmp_path)


def test_modules_that_need_each_other_are_refused(tmp_path):
    module(tmp_path, "a.js", 'import { b } from "./b.js";\n')
    module(tmp_path, "b.js", 'import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match="needs itself"):
        maker.ordered(tmp_path / "a.js")
