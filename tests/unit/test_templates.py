"""Analysis templates tell whether a channel's data are synthetic (rule R-26)."""

from typing import Any

import pytest

from cleanrooms_operator.core import templates

THEIRS = "2" * 12
SYNTHETIC = {"arn": "t-1", "creatorAccountId": THEIRS, "name": "one", "isSyntheticData": True}
ORDINARY = {"arn": "t-2", "creatorAccountId": THEIRS, "name": "two"}


def shared(account: str, name: str) -> dict[str, Any]:
    return {"sharedAnalysisTemplate": {"creatorAccountId": account, "name": name}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({"queryString": "SELECT 1"}, False, id="a text"),
        pytest.param({"analysisTemplateArn": "t-1"}, True, id="a template"),
        pytest.param({"analysisTemplateArn": "t-2"}, False, id="an ordinary one"),
        pytest.param({"analysisTemplateArn": "t-3"}, None, id="one that cannot be seen"),
        pytest.param(shared(THEIRS, "one"), True, id="a template by name"),
        pytest.param(shared(THEIRS, "two"), False, id="an ordinary one by name"),
        pytest.param(shared("3" * 12, "one"), None, id="another's of that name"),
    ],
)
def test_r_26_its_template_decides_whether_a_channel_is_synthetic(
    query: dict[str, Any], *, expected: bool | None
) -> None:
    source = {"protectedQueryInputParameters": {"sqlParameters": query}}
    channel = {"inputChannel": {"dataSource": source, "roleArn": "r"}}
    assert templates.is_synthetic(channel, [SYNTHETIC, ORDINARY]) is expected
    assert templates.names_template(channel) is ("queryString" not in query)
