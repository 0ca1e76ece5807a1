"""What may be done with accounts, whichever door a request came through.

Whoever asks from outside learns nothing about who has an account: the answers to registration,
log-in and recovery are the same for known and unknown addresses, and so is the work behind them.
The mail alone tells, and it goes to the owner of the address.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prometheus_client import Counter

from headrace.errors import InvalidInput, NotFound, Unauthenticated
from services.gateway.accounts.account_store import Account, AccountStore, Registration
from services.gateway.accounts.interests import ACCOUNT_PREFIX
from services.gateway.accounts.limits import (
    ATTEMPTS,
    GUESSES,
    GUESSES_FROM_ANYWHERE,
    GUESSES_WITHIN,
    MAILS,
    REGISTRATIONS,
    Limits,
)
from services.gateway.accounts.mails import Mail, Mails
from services.gateway.accounts.passwords import Passwords
from services.gateway.accounts.sign_in_store import Rotation, SignInStore
from services.gateway.accounts.visits import Visits
from services.gateway.directory import Directory
from services.gateway.keys import digest_of
from services.gateway.tokens import ACCESS_S, Claims, Kind, Tokens

log = logging.getLogger(__name__)

LOG_INS = Counter("headrace_gateway_log_ins_total", "Log-ins by outcome.", ["outcome"])
# From the start on, so that a rate sees the first one.
for _outcome in ("let_in", "refused"):
    LOG_INS.labels(_outcome)
REUSED = Counter(
    "headrace_gateway_refresh_tokens_reused_total",
    "Sign-ins ended since one of their refresh tokens came again long after its first use.",
)

REFRESH_S = 30 * 86_400
"""Each use of a refresh token starts it anew."""
# Windows of one browser hear of each other's renewal a moment later; answers get lost.
_REFRESH_AGAIN_S = 10
CONFIRM_S = 86_400
RECOVER_S = 1_800

# A known address costs a write more than an unknown one: both answers wait for the same moment.
_RECOVER_ANSWER_S = 0.1


@dataclass(frozen=True, slots=True)
class SignIn:
    """Tokens of somebody who just came in or stays in.

    visit_claimed: the events of the visit before are theirs now.
    """

    user_id: str
    role: str
    access_token: str
    refresh_token: str
    visit_claimed: bool = False


class Accounts:
    """Registers people, lets them in, and keeps what they tell about themselves.

    post: takes a mail and sends it in the background. Raises: Unavailable.
    Of `origin`, in every method: the network that the call came from; None: an application with a
    key, behind which many people stand.
    Every method raises Unavailable while Postgres is away, and RateLimited.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sign_ins: SignInStore,
        passwords: Passwords,
        tokens: Tokens,
        directory: Directory,
        limits: Limits,
        mails: Mails,
        visits: Visits,
        post: Callable[[Mail], None],
    ) -> None:
        self._accounts = accounts
        self._sign_ins = sign_ins
        self._passwords = passwords
        self._tokens = tokens
        self._directory = directory
        self._limits = limits
        self._mails = mails
        self._visits = visits
        self._post = post

    async def register(self, email: str, password: str, name: str, origin: str | None) -> None:
        """Mails how to go on: a token to confirm, or that there is an account."""
        key = _key(email)
        if origin is not None:
            await self._limits.take(REGISTRATIONS, origin)
        await self._limits.take(MAILS, key)
        wish = Registration(email, key, await self._passwords.hash(password), name)
        token = secrets.token_urlsafe(32)
        known = await asyncio.to_thread(self._accounts.by_email, key)
        # Also where the address is known: the same work. Nobody gets to know that token.
        await asyncio.to_thread(self._accounts.register, digest_of(token), wish, CONFIRM_S)
        self._post(self._mails.known(email) if known else self._mails.confirm(email, token))

    async def confirm(
        self, token: str, password: str, visit_token: str | None, origin: str | None
    ) -> SignIn:
        """Makes the account, lets its person in, and gives them the events of their visit.

        It takes the mailed token and the password of the registration. With the token alone,
        somebody could register your address with a password of theirs and let you confirm it.

        Raises: Unauthenticated.
        """
        digest = digest_of(token)
        await self._attempt(origin)
        await self._limits.take(GUESSES_WITHIN, digest.hex())
        wish = await asyncio.to_thread(self._accounts.registration, digest)
        verdict = await self._passwords.verify(
            None if wish is None else wish.password_hash, password
        )
        account = None
        if verdict.right:
            user_id = f"{ACCOUNT_PREFIX}{secrets.token_hex(12)}"
            account = await asyncio.to_thread(self._accounts.confirm, digest, user_id, "shopper")
        if account is None:
            raise Unauthenticated(
                "the token or the password is not right, or the token's time is over"
            )
        return await self._claim(await self._begin(account), visit_token)

    async def log_in(
        self, email: str, password: str, visit_token: str | None, origin: str | None
    ) -> SignIn:
        """Lets somebody in, and gives them the events of their visit. Raises: Unauthenticated."""
        key = _key(email)
        whose = f"{key} {origin or 'application'}"
        await self._attempt(origin)
        await self._limits.take(GUESSES, whose)
        await self._limits.take(GUESSES_FROM_ANYWHERE, key)
        account = await asyncio.to_thread(self._accounts.by_email, key)
        verdict = await self._passwords.verify(
            None if account is None else account.password_hash, password
        )
        if account is None or not verdict.right:
            LOG_INS.labels("refused").inc()
            raise Unauthenticated("the e-mail address or the password is not right")
        await self._limits.forgive(GUESSES, whose)
        signed_in = await self._begin(account)
        if verdict.outdated:
            rehashed = await self._passwords.hash(password)
            await asyncio.to_thread(
                self._accounts.rehash, account.user_id, account.password_hash, rehashed
            )
        LOG_INS.labels("let_in").inc()
        return await self._claim(signed_in, visit_token)

    async def refresh(self, refresh_token: str) -> SignIn:
        """New tokens for an old refresh token, which is used up ten seconds later.

        Raises: Unauthenticated; one that comes after that also ends its sign-in.
        """
        following = secrets.token_urlsafe(32)
        found = await asyncio.to_thread(
            self._sign_ins.rotate,
            digest_of(refresh_token),
            digest_of(following),
            REFRESH_S,
            _REFRESH_AGAIN_S,
        )
        if found.rotation is Rotation.ROTATED:
            return self._signed(found.user_id, found.role, found.sign_in_id, following)
        if found.rotation is Rotation.REUSED:
            self._ended([found.sign_in_id])
            REUSED.inc()
            log.warning("a used refresh token came again: its sign-in is ended")
        raise Unauthenticated("the refresh token is not valid any more; log in again")

    async def log_out(self, refresh_token: str, *, everywhere: bool) -> None:
        """Ends a sign-in, or all of its person. One that has ended stays so."""
        ended = await asyncio.to_thread(
            self._sign_ins.end, digest_of(refresh_token), everywhere=everywhere
        )
        self._ended(ended)

    async def change_password(self, user_id: str, password: str, new_password: str) -> SignIn:
        """Ends every sign-in and begins a new one.

        Raises: InvalidInput where the present password is another; Unauthenticated.
        """
        await self._limits.take(GUESSES_WITHIN, user_id)
        account = await self.account(user_id)
        verdict = await self._passwords.verify(account.password_hash, password)
        if not verdict.right:
            raise InvalidInput.of("password", "is not the present one")
        new_hash = await self._passwords.hash(new_password)
        changed = await asyncio.to_thread(
            self._accounts.change_password, user_id, account.password_hash, new_hash
        )
        if not changed:
            raise Unauthenticated("the password was changed meanwhile; log in again")
        self._post(self._mails.changed(account.email))
        return await self._begin(await self.account(user_id))

    async def confirm_password(self, user_id: str, password: str | None) -> None:
        """Makes sure that it is the person who acts: of who has an account, by the password.

        Raises: InvalidInput where it is missing or another.
        """
        account = await asyncio.to_thread(self._accounts.by_id, user_id)
        if account is None:
            return
        if password is None:
            raise InvalidInput.of("password", "must be given: the account has one")
        await self._limits.take(GUESSES_WITHIN, user_id)
        verdict = await self._passwords.verify(account.password_hash, password)
        if not verdict.right:
            raise InvalidInput.of("password", "is not the present one")

    async def recover(self, email: str, origin: str | None) -> None:
        """Mails a token that sets a new password, or that there is no account."""
        began = time.monotonic()
        key = _key(email)
        await self._attempt(origin)
        await self._limits.take(MAILS, key)
        account = await asyncio.to_thread(self._accounts.by_email, key)
        if account is None:
            self._post(self._mails.unknown(email))
        else:
            token = secrets.token_urlsafe(32)
            await asyncio.to_thread(
                self._accounts.add_recovery, digest_of(token), account.user_id, RECOVER_S
            )
            self._post(self._mails.recover(account.email, token))
        await asyncio.sleep(began + _RECOVER_ANSWER_S - time.monotonic())

    async def reset(self, token: str, new_password: str, origin: str | None) -> None:
        """Sets a new password and ends every sign-in. Raises: Unauthenticated."""
        await self._attempt(origin)
        new_hash = await self._passwords.hash(new_password)
        email = await asyncio.to_thread(self._accounts.reset_password, digest_of(token), new_hash)
        if email is None:
            raise Unauthenticated(
                "the token is not valid: it was used, or its time is over; ask for a new mail"
            )
        # Whoever reads the mail is no guesser.
        self._post(self._mails.changed(email))

    async def account(self, user_id: str) -> Account:
        """Raises: NotFound where it is gone."""
        account = await asyncio.to_thread(self._accounts.by_id, user_id)
        if account is None:
            raise NotFound("there is no such account any more")
        return account

    async def set_profile(
        self, user_id: str, name: str, age_band: str | None, interests: Sequence[str]
    ) -> Account:
        """Replaces what the person told about themselves. Raises: NotFound."""
        account = await asyncio.to_thread(
            self._accounts.set_profile, user_id, name, age_band, interests
        )
        if account is None:
            raise NotFound("there is no such account any more")
        return account

    async def set_role(self, email: str, role: str) -> Account:
        """Ends every sign-in where the role changes, within two seconds. Raises: NotFound."""
        account = await asyncio.to_thread(self._accounts.set_role, _key(email), role)
        if account is None:
            raise NotFound(f"there is no account with the address {email}")
        return account

    async def _attempt(self, origin: str | None) -> None:
        if origin is not None:
            await self._limits.take(ATTEMPTS, origin)

    async def _begin(self, account: Account) -> SignIn:
        sign_in_id = f"s_{secrets.token_hex(12)}"
        refresh_token = secrets.token_urlsafe(32)
        begun = await asyncio.to_thread(
            self._sign_ins.begin,
            sign_in_id,
            account.user_id,
            account.password_hash,
            digest_of(refresh_token),
            REFRESH_S,
        )
        if not begun:
            raise Unauthenticated("the password was changed meanwhile; log in again")
        return self._signed(account.user_id, account.role, sign_in_id, refresh_token)

    async def _claim(self, signed_in: SignIn, visit_token: str | None) -> SignIn:
        if visit_token is None:
            return signed_in
        claimed = await self._visits.claim(visit_token, signed_in.user_id)
        return replace(signed_in, visit_claimed=claimed)

    def _signed(self, user_id: str, role: str, sign_in_id: str, refresh_token: str) -> SignIn:
        claims = Claims(Kind.ACCESS, user_id, sign_in_id, role)
        return SignIn(user_id, role, self._tokens.sign(claims, ACCESS_S), refresh_token)

    def _ended(self, sign_ins: Sequence[str]) -> None:
        until = time.time() + ACCESS_S
        self._directory.end((sign_in, until) for sign_in in sign_ins)


def _key(email: str) -> str:
    """Addresses that differ in case alone belong to one person."""
    return email.casefold()
