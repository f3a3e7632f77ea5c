"""How sentences and tables write amounts."""


def money(usd: float) -> str:
    """Dollars as a person writes them.

    >>> money(1234.5), money(0.234)
    ('$1,235', '$0.23')
    """
    return f"${usd:,.0f}" if usd >= 100 else f"${usd:,.2f}"


def duration(milliseconds: float) -> str:
    """A duration in the unit that a person would use.

    >>> duration(250.0), duration(4200.0), duration(900_000.0)
    ('250 ms', '4.2 s', '15 min')
    """
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def percent(ratio: float, digits: int = 1) -> str:
    """A ratio in percent, with a space before the sign as the SI has it.

    >>> percent(0.3264), percent(0.5, 0)
    ('32.6 %', '50 %')
    """
    return f"{100 * ratio:.{digits}f} %"
