"""What is done about each kind of abuse: the tasks of a case, those that make people safe first. Pure.

Kinds are ILO's eleven indicators of forced labour (ILO, Indicators of Forced Labour, Special Action Programme to Combat Forced Labour, 2012),
with child labour and trafficking; beside them a supplier that an official list names. What remedy means: UN Guiding Principles on Business and Human Rights, 22 and 31; ILO Protocol P029 (2014).
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Role = Literal["case_worker", "supplier", "buyer", "service"]  # who does it; `service`: a body that helps victims, or an authority

_P029 = "ILO P029, art. 3: release, protection, recovery and rehabilitation of victims"
_REMEDY = "ILO P029, art. 4: access to appropriate and effective remedies, such as compensation"
_UNGP = "UN Guiding Principles, 22 and 31: remediation through legitimate processes, without retaliation"
_WAGES = "ILO C095, art. 8, 9 and 12: deductions, fees for employment, regular and final payment of wages"
_FEES = "ILO General Principles and Operational Guidelines for Fair Recruitment (2019), I.7: no recruitment fees charged to workers"
_HOURS = "ILO C001, art. 2 and C030, art. 3: at most eight hours a day and 48 a week"
_SAFETY = "ILO C155, art. 16: safe workplaces as far as reasonably practicable"
_HOUSING = "ILO R115: workers' housing"
_CHILD = "ILO C182, art. 7: removal, rehabilitation and free basic education; C138, art. 1 and 2: minimum age"
_PALERMO = "Palermo Protocol, art. 6 and 7: assistance, protection and stay of victims of trafficking"
_VIOLENCE = "ILO C190, art. 10: protection, remedies and the right to leave danger without reprisal"
_INDICATORS = "ILO, Indicators of Forced Labour (2012)"
_MATCH = "OFAC, Frequently Asked Question 5: how to determine whether a match is valid"
_BLOCKED = "31 CFR 501.603: blocked property is reported within 10 business days"
_EXIT = "UN Guiding Principles, 19; OECD Due Diligence Guidance for Responsible Business Conduct (2018), 3.2: responsible disengagement"


class Play(NamedTuple):
    """One task: who does it, in how many days from the rating, and whether somebody's safety hangs on it."""

    key: str
    title: str
    role: Role
    due_days: int
    source: str
    safety: bool = False


_ALWAYS = (
    Play(
        "safe_contact",
        "Speak with the workers concerned in private, in their language, away from management",
        "case_worker",
        2,
        _UNGP,
        True,
    ),
    Play("no_reprisal", "Obtain the supplier's written word that nobody suffers for having spoken", "supplier", 3, _UNGP, True),
    Play("root_cause", "Find with workers and supplier why it could happen", "case_worker", 45, _UNGP),
    Play("prevention", "Agree and put in force what keeps it from happening again", "supplier", 85, _UNGP),
    Play("workers_satisfied", "Ask the workers concerned whether it is put right in their eyes", "case_worker", 88, _UNGP),
)
_HOTLINE = Play("grievance_channel", "Give workers a channel for complaints that management does not control", "supplier", 30, _UNGP)
_FREE_TO_LEAVE = Play("free_to_leave", "Make sure that everybody can leave the site and the job at once", "supplier", 1, _P029, True)
_VICTIM_HELP = Play(
    "victim_help", "Offer those harmed a referral to a service of their choice, with their consent", "case_worker", 3, _P029, True
)
_AUTHORITY = Play("authority", "Decide with the victims and counsel whether to inform the authorities", "case_worker", 5, _P029, True)
_OWED = Play("sum_owed", "Establish what each worker is owed and enter it in the ledger", "case_worker", 20, _REMEDY)
_PAY_BACK = Play("pay_back", "Pay what is owed, each payment proved in the ledger", "supplier", 60, _REMEDY)
_CONTRACTS = Play("contracts", "Give every worker a contract in their language, as it was promised", "supplier", 30, _INDICATORS)

PLAYBOOK: dict[str, tuple[Play, ...]] = {
    "abuse_of_vulnerability": (
        _VICTIM_HELP,
        Play("status", "Help workers to a lawful status that does not hang on this employer", "service", 45, _P029),
        _HOTLINE,
    ),
    "deception": (
        _CONTRACTS,
        Play("recruiters", "Check every recruiter in the chain; end dealings with those who deceived", "supplier", 45, _FEES),
        _OWED,
        _PAY_BACK,
    ),
    "restriction_of_movement": (
        _FREE_TO_LEAVE,
        Play("unlock", "Take away locks, guards and curfews that keep people in", "supplier", 1, _P029, True),
        Play("movement_check", "See on site, unannounced, that people come and go as they wish", "case_worker", 14, _INDICATORS),
    ),
    "isolation": (
        Play("contact", "Give workers telephones and a way to the next town, unwatched", "supplier", 2, _P029, True),
        _HOTLINE,
    ),
    "physical_and_sexual_violence": (
        Play("remove_danger", "Take the accused out of reach of the workers", "supplier", 1, _VIOLENCE, True),
        Play("medical_care", "Offer medical and psychological care at once, at no cost to the worker", "service", 1, _VIOLENCE, True),
        _VICTIM_HELP,
        _AUTHORITY,
    ),
    "intimidation_and_threats": (
        Play("stop_threats", "Make the supplier stop all threats, those to families and of denunciation among them", "supplier", 1, _VIOLENCE, True),
        _VICTIM_HELP,
        _HOTLINE,
    ),
    "retention_of_documents": (
        Play("return_documents", "Give every identity document back to its owner, against a signature", "supplier", 2, _INDICATORS, True),
        Play("own_storage", "Give workers safe storage that only they can open", "supplier", 21, _INDICATORS),
    ),
    "withholding_of_wages": (
        _OWED,
        _PAY_BACK,
        Play("pay_slips", "Pay regularly, with a slip that each worker can read", "supplier", 45, _WAGES),
    ),
    "debt_bondage": (
        _FREE_TO_LEAVE,
        Play("cancel_debt", "Declare debts to employer or recruiter void, in writing, to each worker", "supplier", 7, _WAGES, True),
        _OWED,
        Play("repay_fees", "Repay recruitment fees and related costs in full", "supplier", 60, _FEES),
        Play("employer_pays", "Put it in every recruiter's contract that the employer pays", "supplier", 75, _FEES),
    ),
    "abusive_working_and_living_conditions": (
        Play("stop_danger", "Stop work that endangers life, with pay going on", "supplier", 1, _SAFETY, True),
        Play("water_food_shelter", "Provide clean water, food, sanitation and decent beds", "supplier", 3, _HOUSING, True),
        Play("housing", "Bring lodgings to the standard of the recommendation", "supplier", 60, _HOUSING),
    ),
    "excessive_overtime": (
        Play("rest_day", "Give every worker a day of rest in the next seven", "supplier", 7, _HOURS),
        Play("hours", "Bring hours within the law; overtime is a free choice and paid as such", "supplier", 60, _HOURS),
        _OWED,
        _PAY_BACK,
    ),
    "child_labour": (
        Play("out_of_danger", "Take the child out of the work at once, without sending it away unaccompanied", "supplier", 1, _CHILD, True),
        Play("guardian", "Find the child's family or guardian, and a child protection service", "service", 2, _CHILD, True),
        Play("schooling", "See the child into school or training, its living paid for until the minimum age", "supplier", 45, _CHILD),
        Play("age_checks", "Check the ages of all workers, and how they are checked when hired", "supplier", 30, _CHILD),
    ),
    "trafficking": (
        _FREE_TO_LEAVE,
        Play("shelter", "Offer safe shelter away from site and recruiters", "service", 1, _PALERMO, True),
        _VICTIM_HELP,
        _AUTHORITY,
        Play("stay_or_return", "Help with the right to stay, or a safe return that the person wishes", "service", 60, _PALERMO),
        _OWED,
        _PAY_BACK,
    ),
}  # fmt: skip
INDICATORS = tuple(PLAYBOOK)

# An official list names the supplier and nothing is known of its workers: whoever leaves it owes them an orderly way out.
LISTED = (
    Play("hold", "Hold open orders, deliveries and payments, and tell who placed them why", "buyer", 1, _BLOCKED),
    Play("identity", "Establish whether it is the listed party, and review the match", "case_worker", 3, _MATCH),
    Play("report", "Decide with counsel whether blocked property must be reported", "case_worker", 8, _BLOCKED),
    Play("licence_or_exit", "Decide with counsel on a licence or an orderly exit", "case_worker", 30, _EXIT),
    Play(
        "workers_at_exit",
        "See what leaving does to its workers, and that wages owed reach them where the law allows",
        "case_worker",
        45,
        _EXIT,
    ),
)
_SHORT = {"abusive_conditions": "abusive_working_and_living_conditions"}  # the rating policy's word for it


def known_indicators(told: Iterable[str]) -> tuple[str, ...]:
    """Those of `told` that we know, in ILO's order, each once."""
    given = {_SHORT.get(one, one) for one in told}
    return tuple(one for one in INDICATORS if one in given)


def tasks_for(indicators: Iterable[str], *, listed: bool = False) -> list[Play]:
    """All that these kinds of abuse ask for, each task once: safety first, then by what is due first. Of no known kind: what is always done.

    `listed`: an official list names the supplier; without any indicator that alone is what has to be dealt with.
    """
    abuse = {play.key: play for indicator in indicators for play in PLAYBOOK[indicator]}
    always = _ALWAYS if abuse or not listed else ()
    plays = abuse | {play.key: play for play in (*always, *(LISTED if listed else ()))}
    return sorted(plays.values(), key=lambda play: (not play.safety, play.due_days, play.key))
