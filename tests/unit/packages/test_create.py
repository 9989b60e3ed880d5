import evidence_packages as packages
import pytest

from bodycam.packages.reasons import Verdict


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return packages.made(tmp_path_factory.mktemp("package"))


def test_a_package_with_enough_witnesses_is_valid(package):
    verified = package.verify()
    assert verified.reasons == ()
    assert verified.verdict is Verdict.VALID
    assert [name for name, _ in verified.witnesses] == ["w1", "w2"]
