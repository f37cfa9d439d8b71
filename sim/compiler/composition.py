"""The program of a route, composed out of what its legs say, phase by phase.

Takes a scenario and a candidate route; gives the symbolic program and the price of the route. No
kind of rail is known here: a leg contributes stages to phases (:class:`~sim.rails.protocol.
LegProgram`), and :func:`_program` is the order of the phases, to be read from top to bottom.

The first leg that commits money is the point of no return. Before it a failure voids and may try
the next route, with a confirmed reversal where a request was already sent; after it only a return
undoes, ledger by ledger, backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sim.compiler.carried import codes_of, with_money
from sim.compiler.flow import Flow
from sim.compiler.recovery import Recovery, Spoken, asking, gives_up, moved
from sim.compiler.refund_moves import moves_back
from sim.compiler.route_price import route_price
from sim.contract.charges import Rounding
from sim.contract.layout import CERTAIN
from sim.contract.meaning import Bearer, Flag, Op, Outcome, Reason
from sim.model.name_check import NameCheck
from sim.rails.code_scheme import CodeScheme
from sim.rails.desks import as_made
from sim.rails.least_amounts import least_amounts
from sim.rails.name_check import asked_payee, read_name
from sim.rails.on_us import book_inside, stay_inside
from sim.rails.patience import answered, leads, waits
from sim.rails.price import Price, held_moves
from sim.rails.protocol import (
    CreditorSide,
    DebtorSide,
    LegContext,
    Rail,
)
from sim.rails.screening import frozen, screened, screened_after, screens_after
from sim.rails.stages import (
    FAIL,
    FAIL_SENT,
    Move,
    Program,
    Stage,
    return_label,
)
from sim.routing.candidates import Candidate
from sim.routing.policies import routing_of
from sim.scenario.model import Scenario, has_patience

QUOTE = "quote"
CONFIRMED, AUTHORISED = "confirmed", "authorised"
RESUMED = "resumed:"
"""Labels where the payer has confirmed, where the payer's side has authorised, and before either:
where a payment comes to it from another route."""
REQUOTES = 3
"""Times a payer is shown a new price before giving up (assumption: nobody asks four times)."""


def compose(
    scenario: Scenario,
    candidate: Candidate,
    *,
    currency: str,
    refunded: Mapping[str, str] | None = None,
    name_check: NameCheck | None = None,
) -> Flow:
    """Return the program and price of a candidate route.

    Parameters
    ----------
    scenario : Scenario
    candidate : Candidate
    currency : str
        Currency of the instructed amount (for limits written in it).
    refunded : mapping of str to str, optional
        Where payments over the route are paid back: the account that pays in place of the one the
        payment came to, where it is another. None: nothing is paid back.
    name_check : NameCheck, optional
        How the payee's name is asked for; None: it is not.

    Raises
    ------
    CompositionError
        If the legs convert more often than a payment has amounts for.
    """
    corridor = candidate.corridor_in(scenario)
    rails = [scenario.rails[leg.rail] for leg in candidate.legs]
    contexts = [
        LegContext(
            scenario,
            corridor,
            leg.rail,
            candidate.legs,
            position,
            currency,
            name_check=name_check,
        )
        for position, leg in enumerate(candidate.legs)
    ]
    # First what each leg converts and charges, as all of them together make the one price; only
    # then does a leg speak of stages, which may need to know the price.
    written = [rail.terms(at) for rail, at in zip(rails, contexts, strict=True)]
    terms = as_made(scenario.fx, written, candidate.desks)
    debtor, creditor = rails[0].debtor_side(contexts[0]), rails[-1].creditor_side(contexts[-1])
    # The ends are asked twice: their accounts for the price, and below what undoes them.
    rounding = Rounding[scenario.fx.rounding.upper()]
    price = route_price(
        candidate, corridor, terms, debtor=debtor, creditor=creditor, rounding=rounding
    )
    contexts = with_money(contexts, terms, price)
    contexts = [replace(at, payer=debtor.account, payee=creditor.account) for at in contexts]
    spoken, left, label = _speak(rails, contexts, debtor)
    # The creditor's institution stands behind the last leg: a failure there is undone as one of a
    # further leg would be, and never ends as rejected once money has moved.
    creditor = rails[-1].creditor_side(replace(contexts[-1], failing=label))
    codes = codes_of(scenario.rails, corridor)
    # The shortest promise counts: the payer is shown one price, and it holds as long as all of
    # its parts do. 0 stands for no bound and is left out.
    validity = min((term.quote_validity_us for term in terms if term.quote_validity_us), default=0)
    inside = None
    if price is not None and rails[-1].books_on_us(contexts[-1]):
        inside = rails[-1].creditor_side(replace(contexts[-1], failing=FAIL))
    if gives_up(spoken, label):
        creditor = replace(creditor, book=asking(creditor.book))
    # Only where there is another route to come from, and institutions to differ in.
    resumes = routing_of(scenario, candidate.corridor).failover > 0 and bool(candidate.agents)
    refund = () if price is None else moves_back(moved(spoken, left, creditor), refunded)
    patient = has_patience(scenario, candidate.corridor)
    composer = _Composer(
        spoken, left, price, debtor, creditor, codes, validity, inside, resumes, refund, patient
    )
    legs = zip(rails, contexts, strict=True)
    owed = tuple(item for rail, at in legs for item in rail.obligations(at)) if price else ()
    return Flow(composer.program(), price, debtor, creditor, owed, composer.entrances)


def _speak(
    rails: list[Rail], contexts: list[LegContext], debtor: DebtorSide
) -> tuple[list[Spoken], tuple[Move, ...], str]:
    """Return what every leg says, the money no leg has booked, and where a late failure leads.

    A leg fails to FAIL while nothing was sent, to FAIL_SENT once a request may be out, and to the
    return of the last ledger once money has moved.
    """
    # Whether any leg sends a request before money is reserved is known once all have spoken.
    asks = any(rail.leg(at).request for rail, at in zip(rails, contexts, strict=True))
    spoken: list[Spoken] = []
    # The payer's own debit waits for the first commit: until then it is only reserved.
    waiting = debtor.debit if contexts[0].price is not None else ()
    refusing, failing = FAIL_SENT if asks else FAIL, FAIL_SENT
    for position, (rail, at) in enumerate(zip(rails, contexts, strict=True)):
        # What the leg before hands on; the first has the payer's account.
        funds = rails[position - 1].funds(contexts[position - 1]) if position else None
        context = replace(
            at,
            securing=FAIL_SENT if asks else FAIL,
            refusing=refusing,
            failing=failing,
            funds=funds,
        )
        says = rail.leg(context)
        # Whoever has to confirm a reversal was asked, and so is everybody behind money that moved.
        if says.reversal_us or failing != FAIL_SENT:
            says = replace(says, request=asking(says.request), execute=asking(says.execute))
        spoken.append(Spoken(context, says, waiting))
        # A leg that does not commit leaves its money to the next one that does.
        if says.commit is None:
            waiting = (*waiting, *says.moves)
        else:
            # From here on money has moved, and whatever fails behind it has to be returned.
            waiting, failing = (), return_label(position)
        # A later leg that sends nothing itself still has to undo what this one may have sent.
        if failing != FAIL_SENT or says.reversal_us:
            refusing = failing
    return spoken, waiting, failing


@dataclass(frozen=True, slots=True)
class _Composer:
    """The legs of one route, their price and its ends, to be put in the order of phases."""

    legs: list[Spoken]
    left: tuple[Move, ...]
    price: Price | None
    debtor: DebtorSide
    creditor: CreditorSide
    codes: tuple[str, CodeScheme] | None
    quote_validity_us: int
    inside: CreditorSide | None
    """The payee's institution where it may be the payer's, too, and books inside."""
    resumes: bool
    refund: tuple[Move, ...]
    """What is moved back where the payment is, once it has completed."""
    patient: bool
    """Whether the patience of some payer ends."""

    @property
    def entrances(self) -> tuple[str, str]:
        """Return where a payment of another route of the class goes on; see :class:`Flow`."""
        if not self.resumes:
            return ("", "")
        return (RESUMED + CONFIRMED, RESUMED + AUTHORISED if any(self._each("request")) else "")

    def program(self) -> Program:
        """Return all phases in order."""
        before: Program = (
            # The order of phases, as a reader of docs/architecture.md knows it. Nothing else
            # decides what comes before what.
            *self._patience(waits(FAIL)),
            *self.legs[0].says.session,
            *self.debtor.authorise,
            *self._each("look_up"),
            *self._name(),
            *self._quote_and_confirm(),
            *(stay_inside() if self.inside is not None else ()),
            *least_amounts([leg.at for leg in self.legs] if self.price is not None else []),
            *self._stands(CONFIRMED, Flag.CONFIRMS),
            *self._each("limit"),
            *self._patience(leads(FAIL_SENT)),
            *self._each("request"),
            *self._stands(AUTHORISED, Flag.AUTHORISES),
            *(stage for leg in self.legs for stage in leg.says.hand_over),
            *self._screening(),
            *self._each("reserve"),
            *self._positions(),
            *self._execute(),
            *self._credit(),
            *self._confirm(),
            *self._patience(answered()),
            *self._screened_after(),
            Stage(
                Op.END,
                "completed",
                value=int(Outcome.COMPLETED),
                reason=Reason.NONE,
                moves=self.refund,
            ),
        )
        recovery = Recovery(self.legs, before, self.patient)
        return (
            *before,
            *self._resume(),
            *recovery.recover(),
            *recovery.give_back(),
            *self.creditor.asides,
            *self._inside(),
            *self._each("asides"),
            *self._frozen(),
        )

    def _stands(self, mark: str, flag: Flag) -> Program:
        """Return the note that the payer, or the payer's side, is done with the payment."""
        if RESUMED + mark not in self.entrances:
            return ()
        leaves = leads(FAIL if mark == CONFIRMED else FAIL_SENT)
        return (Stage(Op.POST, mark, mark=mark, flags=flag), *self._patience(leaves))

    def _patience(self, stages: Program) -> Program:
        """Return what concerns the payer's patience, where it ends."""
        return stages if self.patient else ()

    def _resume(self) -> Iterator[Stage]:
        """Yield how a payment comes from another route of the class: neither asked nor priced.

        Each attempt is bounded as the first was, and what was given back of limits is used again.
        """
        confirmed, authorised = self.entrances
        for entrance, again in ((confirmed, ()), (authorised, tuple(self._each("limit")))):
            if not entrance:
                continue
            mark = entrance.removeprefix(RESUMED)
            way = (
                *self.legs[0].says.session,
                *again,
                Stage(Op.DECIDE, f"{mark} before", value=CERTAIN, target=mark),
            )
            yield replace(way[0], mark=entrance)
            yield from way[1:]

    def _each(self, phase: str) -> Iterator[Stage]:
        """Yield what every leg says to a phase, outward."""
        for leg in self.legs:
            yield from getattr(leg.says, phase)

    def _name(self) -> Program:
        """Return the payee's name, asked for where no leg has, and the payer's look at it."""
        check, world = self.legs[0].at.name_check, self.legs[0].at.world
        if check is None:
            return ()
        is_asked = any(leg.says.asks_payee for leg in self.legs)
        asked = () if is_asked else asked_payee("", check, world, target=FAIL)
        return (*asked, *read_name(check, patient=self.patient, target=FAIL))

    def _quote_and_confirm(self) -> Program:
        """Return the price, the payer's confirmation, and a new price where it took too long."""
        if self.price is None:
            return ()
        confirm: Program = ()
        if self.codes is not None and self.debtor.confirms:
            name, scheme = self.codes
            # While the payer acts nobody waits for an answer.
            asked = self._patience(answered()), self._patience(waits(FAIL))
            confirm = (*asked[0], *scheme.confirmation(name), *asked[1])
        validity = self.quote_validity_us
        # Marked, so that a lapsed quote can come back to it.
        quote = Stage(Op.QUOTE, QUOTE, mark=QUOTE, value=validity, target=FAIL, reason=Reason.AM12)
        # A price that holds for ever cannot lapse, so there is nothing to use in time.
        if not validity:
            return (quote, *confirm)
        use = Stage(
            Op.CONVERT, "use quote", back_to=QUOTE, value=REQUOTES, target=FAIL, reason=Reason.NOAS
        )
        return (quote, *confirm, use)

    def _screening(self) -> Iterator[Stage]:
        """Yield the screening of every institution between two legs."""
        # Between two legs stands an institution; behind the last one stands the payee's own.
        for leg in self.legs[:-1]:
            yield from screened(leg.at.world, leg.at.leg.end, target=FAIL_SENT)

    def _positions(self) -> Iterator[Stage]:
        """Yield what has to be there of the positions of those who convert."""
        moves = moved(self.legs, self.left, self.creditor) if self.price is not None else []
        for move in held_moves(self.price, moves) if self.price is not None else ():
            yield Stage(
                Op.RESERVE,
                f"position.{move.debit}",
                moves=(move,),
                target=self.legs[0].at.securing,
                reason=Reason.AM23,
            )

    def _execute(self) -> Iterator[Stage]:
        """Yield what every leg does, outward; the first that commits settles the payment."""
        settles = Flag.SETTLES
        for leg in self.legs:
            yield from leg.says.execute
            if leg.says.commit is not None:
                # The leg says how it commits, the composition what: its own moves and all that
                # waited.
                yield replace(leg.says.commit, moves=leg.booked, flags=settles)
                yield from self._patience(leads())
                # Settlement is the first commit and happens once.
                settles = Flag(0)

    def _credit(self) -> Iterator[Stage]:
        """Yield the creditor's institution crediting the payee, and the fees of both sides.

        The payer's fees are charged last: while the creditor's institution may still refuse, the
        money comes back whole.
        """
        if self.price is None:
            return
        yield from self.creditor.book
        has_settled = any(leg.says.commit is not None for leg in self.legs)
        yield Stage(
            Op.POST,
            self.creditor.credit_label,
            moves=(*self.left, *self.creditor.credit),
            # Without any ledger the credit is the settlement.
            flags=Flag.CREDITS if has_settled else Flag.SETTLES | Flag.CREDITS,
        )
        yield from self._patience(leads())
        yield from self._each("closing")
        if not self._may_freeze():
            yield from self._fees()

    def _may_freeze(self) -> bool:
        """Say whether what was credited may go back."""
        return any(screens_after(leg.at.world, leg.at.leg.end) for leg in self.legs[:-1])

    def _screened_after(self) -> Iterator[Stage]:
        """Yield the checks that follow the credit, and then the fees: who is refused pays none."""
        for leg in self.legs[:-1]:
            yield from screened_after(leg.at.world, leg.at.leg.end)
        yield from self._fees() if self._may_freeze() else ()

    def _frozen(self) -> Iterator[Stage]:
        """Yield, aside, how what such a check refuses goes back."""
        ledgers = [at for at, leg in enumerate(self.legs) if leg.says.commit is not None]
        then = return_label(ledgers[-1]) if ledgers else ""
        credit = () if self.price is None else (*self.left, *self.creditor.credit)
        back = tuple(move.reversed() for move in reversed(credit))
        for leg in self.legs[:-1]:
            yield from frozen(leg.at.world, leg.at.leg.end, back, then=then)

    def _fees(self) -> Iterator[Stage]:
        """Yield the charging of every fee."""
        for bearer in Bearer if self.price is not None else ():
            yield from self._charge(bearer)

    def _charge(self, bearer: Bearer) -> Iterator[Stage]:
        """Yield the charging of every fee one side bears."""
        assert self.price is not None
        for position, terms in enumerate(self.price.fees):
            if terms.bearer is bearer:
                yield Stage(Op.CHARGE, f"fee.{terms.component}", fee=position)

    def _confirm(self) -> Iterator[Stage]:
        """Yield the messages back, legs backwards; the end with the code's scheme is notified."""
        notification = self._notification()
        # A bank with the code's scheme tells its own customer at once, and need not wait for
        # messages back.
        if self.creditor.is_told_first:
            yield from notification
        for leg in reversed(self.legs):
            yield from leg.says.confirm
        if not self.creditor.is_told_first:
            yield from notification

    def _inside(self) -> Program:
        """Return what happens where both ends are at one institution."""
        if self.inside is None:
            return ()
        fees = (*self._charge(Bearer.DEBTOR), *self._charge(Bearer.CREDITOR))
        closing = (*self._patience(leads()), *fees, *self._notification())
        # Of a corridor some of whose payments are paid back, those that stay inside can be, too.
        booked = (*self.debtor.debit, *self.inside.credit)
        back = moves_back(booked, {} if self.refund else None)
        return book_inside(self.debtor, self.inside, closing, back)

    def _notification(self) -> Program:
        """Return the message that the payment was made, where somebody scanned a code."""
        if self.codes is None or not (self.creditor.is_told_first or self.debtor.confirms):
            return ()
        name, scheme = self.codes
        return scheme.notification(name)
