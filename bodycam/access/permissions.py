"""The permission table: role × action × scope. What isn't listed is refused.

Scopes: `own` = the officer's own things; `unit` = the unit of the grant alone; `subtree` = it and everything below; `all` =
everywhere. Being administrator shows no footage and no case. Until identities are kept apart (step 6) only intake and
auditor read citizens' submissions.
"""

from enum import StrEnum

from bodycam.people.models import Role


class Reach(StrEnum):
    """How far a permission goes, counted from the unit of the grant."""

    OWN = "own"
    UNIT = "unit"
    SUBTREE = "subtree"
    ALL = "all"


class Action(StrEnum):
    """Everything that can be asked for; every route names one."""

    RECORDING_LIST = "recording.list"
    RECORDING_VIEW = "recording.view"  # the footage itself
    RECORDING_EXPORT = "recording.export"
    RECORDING_ATTACH = "recording.attach"
    RECORDING_HISTORY = "recording.history"  # who opened it
    CASE_LIST = "case.list"
    CASE_VIEW = "case.view"
    CASE_EDIT = "case.edit"
    COVERAGE_EXPLAIN = "coverage.explain"  # end a debt with its reason; never one's own
    COVERAGE_VIEW = "coverage.view"  # what is still missing, and the slips of ends of shifts
    DOCK_VIEW = "dock.view"
    DOCK_COMMAND = "dock.command"
    EXTRACTION_VIEW = "extraction.view"
    EXTRACTION_REQUEST = "extraction.request"  # and withdraw, have the package made, fetch it, hand it over
    EXTRACTION_APPROVE = "extraction.approve"  # or refuse; never what one requested
    FLEET_VIEW = "fleet.view"
    FLEET_EDIT = "fleet.edit"
    OUTAGE_RESOLVE = "outage.resolve"  # a broken camera is back in service
    PEOPLE_VIEW = "people.view"
    PEOPLE_EDIT = "people.edit"
    PEOPLE_PASSES = "people.passes"  # PIN and card at a kiosk: give, make void, vouch for
    ACCOUNT_EDIT = "account.edit"
    SUBMISSION_LIST = "submission.list"
    SUBMISSION_VIEW = "submission.view"
    SUBMISSION_TRIAGE = "submission.triage"
    MONITORING_VIEW = "monitoring.view"
    LOG_VIEW = "log.view"
    VAULT_SCRUB = "vault.scrub"
    SETTINGS_VIEW = "settings.view"
    WIPE_VIEW = "wipe.view"
    WIPE_RAISE = "wipe.raise"  # and withdraw
    WIPE_APPROVE = "wipe.approve"  # or refuse; never what one raised
    WIPE_ATTACH = "wipe.attach"  # the signed minute
    RETENTION_VIEW = "retention.view"
    RETENTION_EDIT = "retention.edit"  # propose a change of the schedule, agree to another's; never to one's own
    CLOCK_CONFIRM = "clock.confirm"  # say that the server's clock is right after a jump
    HOLD_VIEW = "hold.view"  # those placed by order; a complaint's is `hold.complaint`
    HOLD_PLACE = "hold.place"
    HOLD_RELEASE = "hold.release"  # never what one placed
    HOLD_COMPLAINT = "hold.complaint"  # those that citizens' reports caused: never for the line of who is accused
    DISPOSITION_VIEW = "disposition.view"  # what is missing from a batch tells of holds: nobody in an accused's line
    DISPOSITION_APPROVE = "disposition.approve"  # and undo; two people of two units
    NEGATIVE_VIEW = "negative.view"
    NEGATIVE_SIGN = "negative.sign"


_OWN, _UNIT, _SUBTREE, _ALL = Reach.OWN, Reach.UNIT, Reach.SUBTREE, Reach.ALL

PERMISSIONS: dict[Role, dict[Action, Reach]] = {
    Role.OFFICER: {
        Action.RECORDING_LIST: _OWN,
        Action.RECORDING_VIEW: _OWN,
        Action.CASE_LIST: _OWN,
        Action.CASE_VIEW: _OWN,
        Action.COVERAGE_VIEW: _OWN,
        Action.DOCK_VIEW: _UNIT,
    },
    Role.COMMANDER: {
        Action.EXTRACTION_VIEW: _SUBTREE,
        Action.EXTRACTION_REQUEST: _SUBTREE,
        Action.RECORDING_LIST: _SUBTREE,
        Action.RECORDING_VIEW: _SUBTREE,
        Action.RECORDING_ATTACH: _SUBTREE,
        Action.RECORDING_HISTORY: _SUBTREE,
        Action.CASE_LIST: _SUBTREE,
        Action.CASE_VIEW: _SUBTREE,
        Action.CASE_EDIT: _SUBTREE,
        Action.COVERAGE_EXPLAIN: _SUBTREE,
        Action.COVERAGE_VIEW: _SUBTREE,
        Action.DOCK_VIEW: _SUBTREE,
        Action.DOCK_COMMAND: _SUBTREE,
        Action.FLEET_VIEW: _SUBTREE,
        Action.OUTAGE_RESOLVE: _SUBTREE,
        Action.PEOPLE_VIEW: _SUBTREE,
        Action.WIPE_VIEW: _SUBTREE,
        Action.WIPE_RAISE: _SUBTREE,
        Action.WIPE_ATTACH: _SUBTREE,
        Action.PEOPLE_PASSES: _SUBTREE,
        Action.RETENTION_VIEW: _SUBTREE,
        Action.HOLD_VIEW: _SUBTREE,
        Action.NEGATIVE_VIEW: _SUBTREE,
        Action.NEGATIVE_SIGN: _SUBTREE,
    },
    Role.HEAD: {
        Action.EXTRACTION_VIEW: _SUBTREE,
        Action.EXTRACTION_APPROVE: _SUBTREE,
        Action.RECORDING_LIST: _SUBTREE,
        Action.RECORDING_VIEW: _SUBTREE,
        Action.RECORDING_HISTORY: _SUBTREE,
        Action.CASE_LIST: _SUBTREE,
        Action.CASE_VIEW: _SUBTREE,
        Action.COVERAGE_EXPLAIN: _SUBTREE,
        Action.COVERAGE_VIEW: _SUBTREE,
        Action.DOCK_VIEW: _SUBTREE,
        Action.FLEET_VIEW: _SUBTREE,
        Action.PEOPLE_VIEW: _SUBTREE,
        Action.MONITORING_VIEW: _SUBTREE,
        Action.WIPE_VIEW: _SUBTREE,
        Action.RETENTION_VIEW: _SUBTREE,
        Action.HOLD_VIEW: _SUBTREE,
        Action.HOLD_PLACE: _SUBTREE,
        Action.HOLD_RELEASE: _SUBTREE,
        Action.NEGATIVE_VIEW: _SUBTREE,
    },
    Role.PLAN_APPROVER: {
        Action.RECORDING_LIST: _SUBTREE,
        Action.DOCK_VIEW: _SUBTREE,
        Action.FLEET_VIEW: _SUBTREE,
        Action.PEOPLE_VIEW: _SUBTREE,
        Action.WIPE_VIEW: _SUBTREE,
        Action.WIPE_APPROVE: _SUBTREE,
        Action.WIPE_ATTACH: _SUBTREE,
    },
    Role.MONITOR: {
        Action.RECORDING_LIST: _SUBTREE,
        Action.RECORDING_VIEW: _SUBTREE,
        Action.RECORDING_HISTORY: _SUBTREE,
        Action.CASE_LIST: _SUBTREE,
        Action.CASE_VIEW: _SUBTREE,
        Action.COVERAGE_VIEW: _SUBTREE,
        Action.DOCK_VIEW: _SUBTREE,
        Action.FLEET_VIEW: _SUBTREE,
        Action.PEOPLE_VIEW: _SUBTREE,
        Action.MONITORING_VIEW: _SUBTREE,
        Action.WIPE_VIEW: _SUBTREE,
        Action.RETENTION_VIEW: _SUBTREE,
        Action.HOLD_VIEW: _SUBTREE,
        Action.HOLD_PLACE: _SUBTREE,
        Action.HOLD_RELEASE: _SUBTREE,
        Action.DISPOSITION_VIEW: _ALL,
        Action.DISPOSITION_APPROVE: _ALL,
        Action.NEGATIVE_VIEW: _SUBTREE,
        Action.NEGATIVE_SIGN: _SUBTREE,
    },
    Role.CASE_OFFICER: {
        Action.EXTRACTION_VIEW: _SUBTREE,
        Action.EXTRACTION_REQUEST: _SUBTREE,
        Action.RECORDING_LIST: _SUBTREE,
        Action.RECORDING_VIEW: _SUBTREE,
        Action.RECORDING_EXPORT: _SUBTREE,
        Action.RECORDING_ATTACH: _SUBTREE,
        Action.CASE_LIST: _SUBTREE,
        Action.CASE_VIEW: _SUBTREE,
        Action.CASE_EDIT: _SUBTREE,
        Action.RETENTION_VIEW: _SUBTREE,
        Action.HOLD_VIEW: _SUBTREE,
        Action.HOLD_PLACE: _SUBTREE,
        Action.NEGATIVE_VIEW: _SUBTREE,
        Action.NEGATIVE_SIGN: _SUBTREE,
    },
    Role.INTAKE: {
        Action.EXTRACTION_VIEW: _ALL,
        Action.EXTRACTION_REQUEST: _ALL,
        Action.SUBMISSION_LIST: _ALL,
        Action.SUBMISSION_VIEW: _ALL,
        Action.SUBMISSION_TRIAGE: _ALL,
        Action.HOLD_VIEW: _ALL,
        Action.HOLD_COMPLAINT: _ALL,
        Action.HOLD_RELEASE: _ALL,
    },
    Role.AUDITOR: {
        Action.EXTRACTION_VIEW: _ALL,
        Action.EXTRACTION_APPROVE: _ALL,
        Action.RECORDING_LIST: _ALL,
        Action.RECORDING_VIEW: _ALL,
        Action.RECORDING_HISTORY: _ALL,
        Action.CASE_LIST: _ALL,
        Action.CASE_VIEW: _ALL,
        Action.SUBMISSION_LIST: _ALL,
        Action.SUBMISSION_VIEW: _ALL,
        Action.LOG_VIEW: _ALL,
        Action.VAULT_SCRUB: _ALL,
        Action.WIPE_VIEW: _ALL,
        Action.RETENTION_VIEW: _ALL,
        Action.RETENTION_EDIT: _ALL,
        Action.CLOCK_CONFIRM: _ALL,
        Action.HOLD_VIEW: _ALL,
        Action.HOLD_PLACE: _ALL,
        Action.HOLD_RELEASE: _ALL,
        Action.HOLD_COMPLAINT: _ALL,
        Action.DISPOSITION_VIEW: _ALL,
        Action.DISPOSITION_APPROVE: _ALL,
        Action.NEGATIVE_VIEW: _ALL,
        Action.NEGATIVE_SIGN: _ALL,
    },
    Role.ADMINISTRATOR: {
        Action.LOG_VIEW: _ALL,
        Action.DOCK_VIEW: _ALL,
        Action.DOCK_COMMAND: _ALL,
        Action.FLEET_VIEW: _ALL,
        Action.FLEET_EDIT: _ALL,
        Action.OUTAGE_RESOLVE: _ALL,
        Action.PEOPLE_VIEW: _ALL,
        Action.PEOPLE_EDIT: _ALL,
        Action.PEOPLE_PASSES: _ALL,
        Action.ACCOUNT_EDIT: _ALL,
        Action.VAULT_SCRUB: _ALL,
        Action.SETTINGS_VIEW: _ALL,
        Action.WIPE_VIEW: _ALL,
        Action.WIPE_RAISE: _ALL,
        Action.WIPE_ATTACH: _ALL,
        Action.RETENTION_VIEW: _ALL,
        Action.RETENTION_EDIT: _ALL,
        Action.CLOCK_CONFIRM: _ALL,
    },
}

ROLE_NAMES: dict[Role, tuple[str, str]] = {
    Role.OFFICER: ("Cán bộ", "Officer"),
    Role.COMMANDER: ("Chỉ huy", "Commander"),
    Role.HEAD: ("Thủ trưởng đơn vị", "Head of unit"),
    Role.PLAN_APPROVER: ("Người duyệt kế hoạch", "Plan approver"),
    Role.MONITOR: ("Thường trực giám sát", "Monitoring"),
    Role.CASE_OFFICER: ("Cán bộ thụ lý", "Case officer"),
    Role.INTAKE: ("Tiếp nhận phản ánh", "Intake"),
    Role.AUDITOR: ("Kiểm toán nội bộ", "Auditor"),
    Role.ADMINISTRATOR: ("Quản trị", "Administrator"),
}
