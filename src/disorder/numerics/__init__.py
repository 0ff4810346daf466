"""What the papers share: compilation, caches, seeds, validation, quadrature, ensembles."""
