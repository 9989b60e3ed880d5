"""The block on the log's page that tells who outside watches the log, and how each of them stands."""

from datetime import timedelta

from sqlalchemy.orm import Session

from bodycam.custody.errors import LogKeyError, PolicyError
from bodycam.custody.timestamps import authorities
from bodycam.custody.witness_client import Trouble
from bodycam.custody.witness_state import WitnessLine, authority_lines, witnesses_state
from bodycam.custody.witnessing import own_policy
from bodycam.runtime import Runtime
from webui.common.locale import t

_TROUBLES = {
    Trouble.AWAY: ("Không trả lời", "No answer"),
    Trouble.REFUSED: ("Từ chối nhật ký này", "Refuses this log"),
    Trouble.OTHER_ROOT: ("Đã ký một nhật ký khác", "Signed another log"),
    Trouble.AHEAD: ("Đã ký nhật ký dài hơn ở đây", "Signed a longer log than is here"),
    Trouble.ROLLED_BACK: ("Quên những gì đã ký", "Forgot what it signed"),
    Trouble.FALSE: ("Chữ ký sai", "False signature"),
    Trouble.WRONG_TIME: ("Đồng hồ lệch", "Its clock is off"),
}


def witness_block(session: Session, rt: Runtime) -> dict[str, object]:
    """Return what `staff/_witnesses.html` shows."""
    path = rt.settings.log.policy_file
    dated = authorities(rt.settings.timestamps.pairs)
    block: dict[str, object] = {
        "witnesses": None,
        "policy_error": None,
        "authorities": authority_lines(session, [authority.name for authority in dated]),
        "is_demo": rt.settings.demo,
        "standing": standing,
    }
    if path is not None:
        late = timedelta(minutes=rt.settings.witnesses.late_minutes)
        try:
            block["witnesses"] = witnesses_state(session, rt.log, own_policy(rt.log, path), late)
        except (PolicyError, LogKeyError) as error:
            block["policy_error"] = t(error.text("vi"), error.text("en"))
    return block


def standing(line: WitnessLine) -> tuple[str, str]:
    """Return how a witness stands as (class of its chip, words)."""
    if line.trouble is not None:
        return ("warn" if line.trouble is Trouble.AWAY else "bad", f"! {t(*_TROUBLES[line.trouble])}")
    if not line.size:
        return "hatched", t("Chưa ký lần nào", "Never signed yet")
    return "ok", f"✓ {t('Đang xác nhận', 'Signing')}" if line.by_line else f"✓ {t('Ký bằng tệp', 'Signs by file')}"
