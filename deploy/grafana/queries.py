"""PromQL that several panels share."""

LISTS = 'route=~"/v1/(recommendations|users/.+/(recommendations|similar)|items/.+/similar)"'
"""The routes that answer with a list; the rules of the promises name the same."""


def rate(metric: str, by: str = "", where: str = "") -> str:
    """How often a second, summed over processes; 0 where it has never happened."""
    summed = f"sum by ({by}) " if by else "sum "
    return f"{summed}(rate({metric}{{{where}}}[$__rate_interval])) or vector(0)"


def total(metric: str, by: str) -> str:
    """How often since its process was started: of what is rare a rate shows nothing."""
    return f"sum by ({by}) ({metric}) or vector(0)"


def mean(metric: str) -> str:
    """Of what a histogram observed."""
    return (
        f"sum(rate({metric}_sum[$__rate_interval])) / sum(rate({metric}_count[$__rate_interval]))"
    )


def quantiles(metric: str, where: str = "") -> dict[str, str]:
    """p50, p90 and p99 of a histogram over all processes, by legend."""
    return {f"p{int(q * 100)}": quantile(metric, q, where=where) for q in (0.5, 0.9, 0.99)}


def quantile(metric: str, q: float, by: str = "", where: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    bucket = f"{metric}_bucket{{{where}}}[$__rate_interval]"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({bucket})))"


def share(part: str, whole: str) -> str:
    """A part of a whole; none where nothing happens."""
    return (
        f"(sum(rate({part}[$__rate_interval])) or vector(0)) / sum(rate({whole}[$__rate_interval]))"
    )
