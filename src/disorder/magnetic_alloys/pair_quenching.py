"""How much the pairs quench the scattering: the coefficient alpha_S of the first virial correction.

It is computed by quadrature, in closed form, and by its large-spin law: Eq. (28) and Table I of the paper.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, zeta

from ..numerics.jit import kernel
from ..numerics.quadrature import logarithmic_edges, panel_rule
from ..numerics.validation import FloatArray, real_array, twice_spin

# Beyond this coupling over temperature a pair is in its ground state to 1 part in 1e19.
_FROZEN = 50.0

# Logarithm of Glaisher's constant, 1/12 - zeta'(-1).
_LOG_GLAISHER = 0.24875447703378425


@kernel
def _inelastic_factor(x: float) -> float:
    # h(x) = (1 + exp(-x))/2 - x/(exp(x) - 1) = (sinh x - x)/(exp(x) - 1), without cancellation.
    if x > 1.0:
        decay = math.exp(-x)
        return 0.5 * (1.0 + decay) - x * decay / (1.0 - decay)
    square = x * x
    series = 1.0
    for n in range(8, 0, -1):
        series = 1.0 + series * square / ((2 * n + 2) * (2 * n + 3))
    return x * square * series / (6.0 * math.expm1(x))


@kernel
def _inelastic_factors(x: FloatArray, out: FloatArray) -> None:
    for i in range(x.size):
        out[i] = _inelastic_factor(x[i])


@kernel
def _quenching(y: float, two_s: int) -> float:
    # Bracket of Eq. (28) at coupling +yT plus the one at -yT, a sum of positive terms: transition k between
    # J = k - 1 and J = k contributes 2 B_k h(yk) times the weight of its lower level.
    q = math.exp(-y)
    n2 = (two_s + 1) * (two_s + 1)
    z_anti, sum_anti, weight, power = 1.0, 0.0, 1.0, 1.0
    z_ferro, sum_ferro = 1.0, 0.0
    for k in range(1, two_s + 1):
        term = k * (n2 - k * k) * _inelastic_factor(y * k)
        sum_anti += term * weight
        power *= q
        weight *= power
        z_anti += (2 * k + 1) * weight
        # Ferromagnetic weights are relative to the level J = k, the lowest one reached so far.
        sum_ferro = term + power * sum_ferro
        z_ferro = 2 * k + 1 + power * z_ferro
    return 2.0 / (n2 - 1) * (sum_anti / z_anti + sum_ferro / z_ferro)


@kernel
def _sum_quenching(nodes: FloatArray, weights: FloatArray, two_s: int) -> float:
    total = 0.0
    for i in range(nodes.size):
        total += weights[i] * _quenching(nodes[i], two_s) / (nodes[i] * nodes[i])
    return total


@cache
def _coupling_rule(decades: int) -> tuple[FloatArray, FloatArray]:
    # Panels that shrink towards y = 0 as far as the largest J(J+1) asks for.
    smallest = _FROZEN * 10.0 ** (-decades)
    return panel_rule(logarithmic_edges(smallest, _FROZEN, per_decade=2), order=20)


def _alpha(two_s: int) -> float:
    # The level J = 2S has energy y S(2S+1); the first panel must end before it matters.
    decades = math.ceil(math.log10(_FROZEN * two_s * (two_s + 1)))
    nodes, weights = _coupling_rule(decades)
    # Tail: a frozen pair keeps no elastic scattering on the singlet side, (2S+1)/(2S+2) on the other.
    tail = (two_s + 3) / (two_s + 2) / _FROZEN
    return 4.0 / 3.0 * (_sum_quenching(nodes, weights, two_s) + tail)


def alpha_s(spin: ArrayLike) -> NDArray[np.float64] | float:
    r"""Coefficient alpha_S of the first virial correction to the resistivity, Table I.

    .. math:: \frac{\Delta\rho_K(T)}{\Delta\rho_K^{(1)}(T)} = 1 - \alpha_S \frac{T_{sg}}{T}

    Parameters
    ----------
    spin : float or array_like
        Impurity spin, multiples of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        alpha_S, dimensionless, of the shape of `spin`; absolute error below 1e-13 up to S = 20.

    Raises
    ------
    TypeError, ValueError
        If a spin is no real number or no multiple of 1/2 in range.

    Notes
    -----
    Eq. (28) with the factor 4/3 that averaging over positions and phases gives and that the printed
    form lacks. The row sums of the matrix elements turn its bracket into a sum of positive terms, so that
    nothing cancels; a composite Gauss rule and the analytic tail beyond y = 50 do the rest. One call
    costs about 100 nodes times 2S transitions.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (27), (28), Table I.

    Examples
    --------
    >>> round(alpha_s(0.5), 10)
    1.1048512339
    """
    if isinstance(spin, np.ndarray | list | tuple):
        spins = real_array("spin", spin)
        values = [_alpha(twice_spin("spin", s)) for s in spins.flat]
        return np.array(values).reshape(spins.shape) if spins.ndim else values[0]
    return _alpha(twice_spin("spin", spin))


def _trigamma(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    # Shift into Re z > 20, then Stirling's series; SciPy has no trigamma of a complex argument.
    total = np.zeros_like(z)
    shifted = z.copy()
    for _ in range(20):
        total += 1 / shifted**2
        shifted += 1
    inverse = 1 / shifted
    square = inverse * inverse
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    series = np.zeros_like(z)
    for number in reversed(bernoulli):
        series = (series + number) * square
    return total + inverse * (1 + inverse / 2 + series)


def alpha_s_closed_form(spin: float) -> float:
    r"""alpha_S as a finite sum of digamma and trigamma functions.

    Let q run over the S(2S+1) roots of the partition function
    :math:`P(q) = \sum_J (2J+1) q^{J(J+1)/2}` and over the roots of unity of order k = 1..2S, and let
    :math:`z = -\ln q/2\pi i` with its real part in (0, 1]. Then
    :math:`\alpha_S = \tfrac43 \sum [a\,\psi'(z)/2\pi i - b\,\psi(z)]` with the residues a, b in y = -ln q of
    the two parts of the bracket of Eq. (28).

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 10 (beyond, use :func:`alpha_s`).

    Returns
    -------
    float
        alpha_S; absolute error below 1e-11.

    Raises
    ------
    TypeError, ValueError
        If `spin` is no real number or no multiple of 1/2 in range.

    Notes
    -----
    The integrand of (28) is a(y)/y^2 + b(y)/y with a, b of period 2 pi i, and psi(z + 1) - psi(z) = 1/z
    turns the integral into a contour around one strip of that width. The cost is that of the eigenvalues
    of a matrix of order S(2S+1).

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (28).

    Examples
    --------
    >>> abs(alpha_s_closed_form(1.5) - alpha_s(1.5)) < 1e-12
    True
    """
    two_s = twice_spin("spin", spin, high=10.0)
    levels = np.arange(two_s + 1)
    exponents = levels * (levels + 1) // 2
    coefficients = np.zeros(exponents[-1] + 1)
    coefficients[exponents] = 2 * levels + 1

    def moment(q: NDArray[np.complex128], power: int) -> NDArray[np.complex128]:  # (q d/dq)^power P
        scaled = coefficients * np.arange(float(coefficients.size)) ** power
        return np.asarray(np.polyval(scaled[::-1], q))

    n2, casimir = (two_s + 1) ** 2, two_s * (two_s + 2) / 4
    strengths = [k * (n2 - k * k) / 4 / casimir for k in range(two_s + 1)]
    roots = np.roots(coefficients[::-1]).astype(np.complex128)
    for _ in range(2):
        roots = roots - roots * moment(roots, 0) / moment(roots, 1)
    first, second = moment(roots, 1), moment(roots, 2)
    z = -np.log(roots) / (2j * np.pi)
    z += z.real <= 0
    psi, psi_slope = digamma(z), _trigamma(z) / (2j * np.pi)
    total = 0.0
    for k in range(1, two_s + 1):
        low, high = roots ** (k * (k - 1) // 2), roots ** (k * (k + 1) // 2)
        a = -strengths[k] * (low + high) / first
        # Where a zero of P is a root of unity, as q = -1 for S = 3/2, b has a pole of second order.
        double = np.abs(1 - roots**k) < 1e-8
        b = 2 * k * strengths[k] * high / first / np.where(double, 1, 1 - roots**k)
        b_double = 2 * strengths[k] * high / first
        b = np.where(double, b_double * (k / 2 - k * (k + 1) / 2 + second / first / 2), b)
        total += float((a * psi_slope - b * psi - np.where(double, b_double * psi_slope, 0)).sum().real)
        fractions = np.arange(1, k + 1) / k
        units = np.exp(-2j * np.pi * fractions)
        simple = np.abs(units[:, None] - roots).min(axis=1) > 1e-8
        units, fractions = units[simple], fractions[simple]
        b = -2 * strengths[k] * units ** (k * (k + 1) // 2) / moment(units, 0)
        total -= float((b * digamma(fractions)).sum().real)
    return 4.0 / 3.0 * total


@cache
def _singlet_constant() -> float:
    # A of alpha_s_large_spin. The limit of infinite spin of the antiferromagnetic half of (28) is U(y); its
    # series in y has no essential part above exp(-2 pi^2/y), so that a Gauss rule from y = 0 on converges.
    def u(y: FloatArray) -> FloatArray:
        k = np.arange(1.0, 1000.0)[:, None]
        weight = np.exp(-y * k * (k - 1) / 2)
        inelastic = np.empty((k.size, y.size))
        _inelastic_factors((k * y).ravel(), inelastic.reshape(-1))
        values: FloatArray = (2 * k * weight * inelastic).sum(axis=0) / ((2 * k - 1) * weight).sum(axis=0)
        return values

    y, weights = panel_rule([0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0], order=20)
    below = weights @ ((u(y) / y - 1 / 3) / y)
    y, weights = panel_rule([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, _FROZEN], order=20)
    return float(below + weights @ (u(y) / y**2)) + 1 / _FROZEN


def alpha_s_large_spin(spin: ArrayLike) -> NDArray[np.float64] | float:
    r"""Law of alpha_S for large spin, logarithmic in N = 2S + 1.

    .. math:: \alpha_S = \frac43\Bigl[\ln N + c + \frac1N\Bigl(\frac13 - \frac{5\zeta(3)}{2\pi^2}\Bigr)\Bigr]
              + O\Bigl(\frac{\ln N}{N^2}\Bigr), \qquad
              c = A + \frac{\gamma - 2\ln\pi}{3} - \frac16 + 4\ln A_G - \frac43\ln 2

    Parameters
    ----------
    spin : float or array_like
        Impurity spin, positive.

    Returns
    -------
    float or ndarray
        The law, of the shape of `spin`. It lies below alpha_S by about 1.5 ln N/N^2: 0.3 % at S = 10.

    Raises
    ------
    TypeError, ValueError
        If `spin` is not finite and positive.

    Notes
    -----
    Two thirds of the logarithm come from antiferromagnetic pairs with couplings between T/S^2 and T, one
    third from ferromagnetic ones between T/S^2 and T/S: there a pair is a classical pair of vectors.
    A = 0.564... belongs to quantum pairs near their singlet (a convergent integral, evaluated here by a Gauss
    rule to 1e-14), A_G is Glaisher's constant, gamma Euler's; the 1/N term comes from ferromagnetic magnons.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (28); not in the paper.

    Examples
    --------
    >>> abs(alpha_s_large_spin(50.0) / alpha_s(50.0) - 1) < 2e-4
    True
    """
    spins = real_array("spin", spin, low=0.0)
    n = 2 * spins + 1
    constant = _singlet_constant() + (np.euler_gamma - 2 * np.log(np.pi)) / 3 - 1 / 6
    constant += 4 * _LOG_GLAISHER - 4 / 3 * np.log(2)
    law = 4 / 3 * (np.log(n) + constant + (1 / 3 - 5 * zeta(3) / (2 * np.pi**2)) / n)
    return float(law) if spins.ndim == 0 else law
