"""`bodycam package verifier` hands out the page that checks packages in a browser."""

import hashlib

from click.testing import CliRunner

from bodycam.cli.package import package


def test_the_page_is_written_with_its_hash_and_never_over_a_file(tmp_path):
    file = tmp_path / "verify.html"
    done = CliRunner().invoke(package, ["verifier", str(file)])
    assert done.exit_code == 0
    assert done.output.split() == [hashlib.sha256(file.read_bytes()).hexdigest(), str(file)]
    assert "Content-Security-Policy" in file.read_text("utf-8")
    file.write_text("other")
    assert CliRunner().invoke(package, ["verifier", str(file)]).exit_code == 2
    assert file.read_text() == "other"
