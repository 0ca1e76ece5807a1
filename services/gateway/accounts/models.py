"""What callers send and get about accounts."""

from datetime import datetime
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from headrace.contracts.categories import CategoryPath

PASSWORD_SHORTEST = 10
PASSWORD_LONGEST = 256
INTERESTS = 20

Role = Literal["shopper", "merchandiser", "operator"]
AgeBand = Literal["under_18", "18_24", "25_34", "35_44", "45_54", "55_64", "65_and_over"]


def _normal_address(text: str) -> str:
    try:
        # Whether somebody reads it, the mail finds out.
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"must be an e-mail address: {error}") from None


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must hold visible characters and plain spaces alone")
    return text.strip()


def _unlike(interests: list[str]) -> list[str]:
    return list(dict.fromkeys(interests))


Email = Annotated[str, Field(max_length=254), AfterValidator(_normal_address)]
Name = Annotated[str, Field(max_length=100), AfterValidator(_one_line)]
Password = Annotated[
    str,
    Field(
        max_length=PASSWORD_LONGEST,
        description="As it was chosen.",
        examples=["correct horse battery"],
    ),
]
NewPassword = Annotated[
    str,
    Field(
        min_length=PASSWORD_SHORTEST,
        max_length=PASSWORD_LONGEST,
        description="Any characters.",
        examples=["correct horse battery"],
    ),
]
Token = Annotated[str, Field(min_length=1, max_length=200)]


VisitToken = Annotated[
    str | None,
    Field(
        max_length=1_000,
        description="Of the visit before: its events become the person's.",
        examples=["eyJhbGciOiJIUzI1NiIs…"],
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RegisterRequest(_Body):
    """Who wants an account."""

    email: Email = Field(examples=["ann@example.com"])
    password: NewPassword
    name: Name = Field(default="", description="What to call the person.", examples=["Ann"])


class ConfirmRequest(_Body):
    """The token of the mail, and the password that was chosen at registration."""

    token: Token = Field(examples=["Zk3…"])
    password: Password
    visit_token: VisitToken = None


class LogInRequest(_Body):
    """Who wants to come in."""

    email: Email = Field(examples=["ann@example.com"])
    password: Password
    visit_token: VisitToken = None


class RefreshRequest(_Body):
    """The last refresh token."""

    refresh_token: Token = Field(examples=["qN8…"])


class LogOutRequest(RefreshRequest):
    """Which sign-in to end."""

    everywhere: bool = Field(default=False, description="On every other device, too.")


class RecoverRequest(_Body):
    """Who forgot the password."""

    email: Email = Field(examples=["ann@example.com"])


class ResetRequest(_Body):
    """The token of the mail, and a new password."""

    token: Token = Field(examples=["Vw1…"])
    password: NewPassword


class ChangePasswordRequest(_Body):
    """The present password and the next."""

    password: Password
    new_password: NewPassword


class ProfileRequest(_Body):
    """What the person tells about themselves. What is left out is taken away."""

    name: Name = Field(default="", examples=["Ann"])
    age_band: AgeBand | None = Field(default=None, examples=["25_34"])
    interests: Annotated[
        list[CategoryPath], Field(max_length=INTERESTS), AfterValidator(_unlike)
    ] = Field(
        default_factory=list,
        description="Categories. They make the first lists, until there is a history.",
        examples=[["Comedy", "Sci-Fi"]],
    )


class RoleRequest(_Body):
    """Whose role, and which."""

    email: Email = Field(examples=["ann@example.com"])
    role: Role = Field(
        description="shopper: their own data. merchandiser: also the catalogue. operator: all."
    )


class MailOnItsWay(_Body):
    """A mail tells how to go on. The answer is the same whether the address is known."""

    status: Literal["mail_sent"]


class Session(_Body):
    """Tokens of a sign-in."""

    user_id: str = Field(
        description="The person in events and lists.", examples=["u_3f9c1a0b7d52e86a41c09d77"]
    )
    role: Role
    access_token: str = Field(
        description="Send it as `Authorization: Bearer`.", examples=["eyJhbGciOiJIUzI1NiIs…"]
    )
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds that the access token lives.", examples=[600])
    refresh_token: str = Field(
        description="For new tokens, once. Used ten seconds after that it ends the sign-in.",
        examples=["qN8…"],
    )
    refresh_expires_in: int = Field(
        description="Seconds that the refresh token lives.", examples=[2_592_000]
    )
    visit_claimed: bool = Field(
        description="Whether the events of the visit before are this person's now."
    )


class VisitRequest(_Body):
    """The visit to go on with, if there was one."""

    visit_token: Annotated[
        str | None,
        Field(
            max_length=1_000,
            description="The last one; absent: somebody new.",
            examples=["eyJhbGciOiJIUzI1NiIs…"],
        ),
    ] = None


class VisitBegun(_Body):
    """A visitor without an account."""

    visitor_id: str = Field(
        description="The person in events and lists.", examples=["v_09d773f9c1a0b7d52e86a41c"]
    )
    visit_token: str = Field(
        description="Send it as `Authorization: Bearer`.", examples=["eyJhbGciOiJIUzI1NiIs…"]
    )
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds that the token lives.", examples=[86_400])


class AccountInfo(ProfileRequest):
    """An account."""

    user_id: str = Field(examples=["u_3f9c1a0b7d52e86a41c09d77"])
    email: str = Field(examples=["ann@example.com"])
    role: Role
    created_at: datetime
