"""What is mailed to people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain text. What others typed, a name for instance, is never in it."""

    to: str
    subject: str
    text: str


class Mails:
    """Writes them. public_url: where people reach the pages of the shop, without a slash at the
    end; links carry their token in the fragment, which browsers keep out of logs and referrers."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def confirm(self, to: str, token: str) -> Mail:
        return Mail(
            to,
            "Confirm your e-mail address",
            f"""Somebody, most likely you, wants an account with this e-mail address.

To confirm it, open this link and enter the password that you chose:

{self._public_url}/account/confirm#token={token}

The link works once, for 24 hours. If it was not you, do nothing: there will be no account.
""",
        )

    def known(self, to: str) -> Mail:
        return Mail(
            to,
            "You have an account already",
            f"""Somebody, most likely you, wants an account with this e-mail address. You have one.

Log in: {self._public_url}/account/log-in
If you forgot your password: {self._public_url}/account/recover

If it was not you, do nothing: nothing has changed.
""",
        )

    def recover(self, to: str, token: str) -> Mail:
        return Mail(
            to,
            "Choose a new password",
            f"""Somebody, most likely you, asked for a new password for this account.

To choose one, open this link:

{self._public_url}/account/reset#token={token}

The link works once, for 30 minutes. If it was not you, do nothing: your password stays.
""",
        )

    def unknown(self, to: str) -> Mail:
        return Mail(
            to,
            "There is no account with this address",
            f"""Somebody asked for a new password for this e-mail address. It has no account.

If it was you, you may have registered with another address. You can also make an account:
{self._public_url}/account/register
""",
        )

    def changed(self, to: str) -> Mail:
        return Mail(
            to,
            "Your password was changed",
            f"""The password of your account was changed, and every device was logged out.

If it was not you, choose a new one now: {self._public_url}/account/recover
""",
        )
