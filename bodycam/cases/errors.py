"""What may go wrong with cases."""

from bodycam.errors import BodycamError


class IdentifierError(BodycamError):
    """A text isn't an identifier of the kind asked for."""

    code = "identifier"
    vi = "“{text}”: {reason_vi}."
    en = "“{text}”: {reason_en}."


class CaseKindError(BodycamError):
    """A file of `config/cases/` breaks a rule; names the file, the key and the reason."""

    code = "case_kind"
    vi = "Cấu hình loại hồ sơ sai: {file}, {key}: {reason}."
    en = "Bad case kind: {file}, {key}: {reason}."
    exit_code = 2


class CaseFieldError(BodycamError):
    """A value of a case is missing or wrong; names the field as the kind calls it."""

    code = "case_field"
    vi = "{field_vi}: {reason_vi}."
    en = "{field_en}: {reason_en}."


class LinkError(BodycamError):
    """A recording can't be moved to that state, or the reason is missing."""

    code = "case_recording"
    vi = "{reason_vi}."
    en = "{reason_en}."
