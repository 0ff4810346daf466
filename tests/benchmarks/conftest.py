"""Benchmarks are run once for their accuracy by `make test`, and timed by `make bench`.

Each one names its computation as the group and says how it computes, with which error, and for which side::

    @pytest.mark.benchmark(group="alpha_s(7/2)")
    def test_panels(benchmark):
        value = benchmark(alpha_s, 3.5)
        benchmark.extra_info.update(what="numba panels", error=abs(value - reference), role="ours")

`role` is "ours" or "alternative"; the ratio on the performance page is the alternative's median over ours.
With `statistical=True` on both sides the page also gives the ratio of time times variance.
"""
