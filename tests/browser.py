"""What browser tests of the staff pages share: the site they visit, and the steps every way begins with."""

from dataclasses import dataclass

from playwright.sync_api import Page
from staff_story import PASSWORD, Story

from bodycam.runtime import Runtime


@dataclass(frozen=True)
class Site:
    """The running staff application."""

    url: str
    rt: Runtime
    story: Story


def sign_in(page: Page, role: str) -> None:
    """Sign in as a role of the story."""
    page.goto("/sign-in")
    page.fill("#username", role)
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.wait_for_load_state()


def open_player(page: Page, recording_id: str) -> None:
    """Give a reason and open the player."""
    page.goto(f"/recordings/{recording_id}")
    page.check("input[value=shift_check]")
    page.click("text=Xem bản ghi")
    page.wait_for_selector("#player")


def eventually(page: Page, expression: str, seconds: float = 8) -> None:
    """Wait for an expression to be true; wait_for_function needs eval, which the strict policy forbids."""
    for _ in range(int(seconds * 10)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {expression}")
