"""An opinion in words, in one language: plain values for JSON and for whoever prints them."""

from __future__ import annotations

from typing import Any

from registry.law.ban import BanAnswer
from registry.law.families import Standing
from registry.law.profiles import Rule
from registry.law.ranking import Answer, Opinion
from registry.law.wording import Language, Texts, instant, reason

__all__ = ["report", "rule_in_words"]


def report(opinion: Opinion, texts: Texts, conflict_rules: tuple[Rule, ...] = ()) -> dict[str, Any]:
    """The opinion in the language of `texts`. Values are text, numbers, lists and tables only; order is reading order.

    `conflict_rules` say on what ground no law is chosen; they are shown where there are several candidates.
    """
    case, language = opinion.case, texts.language
    return {
        "language": language,
        "reference": case.reference,
        "amount": str(case.amount),
        "collected": None if case.collected is None else str(case.collected),
        "as_of": instant(case.as_of_ms),
        "winner_depends_on_law": opinion.winner_depends_on_law,
        "payee_depends_on_law": opinion.payee_depends_on_law,
        "remarks": [texts.say(each) for each in opinion.remarks],
        "laws": [_answer(opinion, answer, texts) for answer in opinion.answers],
        "which_law": [rule_in_words(rule, language) for rule in conflict_rules] if len(opinion.answers) > 1 else [],
    }


def _answer(opinion: Opinion, answer: Answer, texts: Texts) -> dict[str, Any]:
    profile, language = answer.profile, texts.language
    notes = [profile.rules[each] for each in profile.warnings]
    claimants = {claim.id: claim.claimant for claim in opinion.case.claims}
    return {
        "law": profile.code,
        "name": profile.names.of(language),
        "confidence": profile.confidence,
        "winners": list(answer.order.winners),
        "priority": [_standing(each, answer, claimants, texts) for each in answer.order.standings],
        "payment": {
            "payee": answer.payment.payee,  # null: the seller
            "seller_too": answer.payment.seller_too,
            "reasons": [texts.say(each) for each in answer.payment.reasons],
        },
        "ban": [_ban(each, texts) for each in answer.bans],
        "warnings": [
            *({"code": each.code, "text": texts.say(each)} for each in answer.warnings),
            *({"code": each.id, "text": each.says.of(language)} for each in notes),
        ],
        "rules": [rule_in_words(rule, language) for rule in (*profile.cited(answer.bans), *notes)],
    }


def _standing(each: Standing, answer: Answer, claimants: dict[str, str], texts: Texts) -> dict[str, Any]:
    return {
        "claim": each.claim,
        "claimant": claimants[each.claim],
        "tier": each.tier,
        "effect": each.effect.value,
        "award": None if answer.awards is None else answer.awards[each.claim].text,
        "reason": texts.say(each.reason),
    }


def _ban(each: BanAnswer, texts: Texts) -> dict[str, Any]:
    return {
        "effect": each.effect.value,
        "if": [texts.say(condition) for condition in each.conditions],
        "text": texts.say(reason(each.effect.value)),
    }


def rule_in_words(rule: Rule, language: Language) -> dict[str, Any]:
    """Where a rule is written, what it says, and how sure we are."""
    return {
        "citation": rule.citation.of(language),
        "says": rule.says.of(language),
        "confidence": rule.confidence,
        "doubt": rule.doubt.of(language),
        "source": rule.source,
        "checked": rule.checked.isoformat(),
    }
