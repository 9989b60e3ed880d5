"""Two languages side by side: Vietnamese first, English second.

The language of a request comes from `?lang=`, else from the language cookie, else from the account, else Vietnamese; a
browser's own preference is not asked, since offices share computers set up in English. `?lang=` is remembered in the cookie.
"""

from urllib.parse import quote, urlencode

from flask import Flask, Response, g, has_request_context, request

LANGUAGES = ("vi", "en")
COOKIE = "bodycam_lang"
_YEAR_S = 365 * 24 * 3600


def language() -> str:
    """Return "vi" or "en", the language of this request ("vi" outside of one)."""
    if not has_request_context():
        return "vi"
    chosen: str | None = g.get("language")
    return chosen or _asked()


def t(vi: str, en: str) -> str:
    """Return the text in the request's language; both stand side by side where it is written."""
    return vi if language() == "vi" else en


def prefer(account_language: str) -> None:
    """Use the account's language for this request unless the person chose another one by link or cookie."""
    if request.args.get("lang") not in LANGUAGES and request.cookies.get(COOKIE) not in LANGUAGES:
        g.language = account_language if account_language in LANGUAGES else "vi"


def init_app(app: Flask) -> None:
    """Give templates `t` and `language`, and remember a language chosen by `?lang=`."""
    app.jinja_env.globals.update(t=t, language=language, in_language=in_language)

    @app.after_request
    def remember(response: Response) -> Response:
        asked = request.args.get("lang")
        if asked in LANGUAGES:
            secure = bool(app.config["SESSION_COOKIE_SECURE"])
            kept = _YEAR_S if app.config["KEEPS_LANGUAGE"] else None  # a citizen's phone forgets it with the browser
            response.set_cookie(COOKIE, asked, max_age=kept, httponly=True, samesite="Lax", secure=secure)
        return response


def in_language(code: str) -> str:
    """Return this page's address in the other language, keeping its query."""
    query = {key: value for key, value in request.args.items() if key != "lang"} | {"lang": code}
    return f"{quote(request.path)}?{urlencode(query)}"  # unquoted, "/\\host" would be another host's address


def _asked() -> str:
    for value in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if value in LANGUAGES:
            return str(value)
    return "vi"
