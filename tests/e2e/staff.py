"""Accounts of those who run a shop, made as people make them."""

import uuid

import httpx
from playwright.sync_api import Page, expect

from headrace.local.system import LocalSystem
from tests.e2e.test_people import PASSWORD, mailed_token
from tests.e2e.visitor import API_KEY


def member_of_staff(system: LocalSystem, role: str) -> str:
    """Registers somebody who has a role. Returns their address; the password is PASSWORD."""
    email = f"{role}-{uuid.uuid4().hex[:8]}@example.com"
    with httpx.Client(base_url=system.http_url, timeout=30) as http:
        account = {"email": email, "password": PASSWORD}
        assert http.post("/v1/accounts", json=account).status_code == httpx.codes.ACCEPTED
        confirmation = {"token": mailed_token(system, email), "password": PASSWORD}
        assert http.post("/v1/accounts/confirm", json=confirmation).is_success
        granted = http.post(
            "/v1/accounts/role",
            json={"email": email, "role": role},
            headers={"Authorization": f"Bearer {API_KEY}"},
        )
        assert granted.is_success, granted.text
    return email


def log_in(page: Page, email: str) -> None:
    """At the console."""
    page.goto("/console")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
