"""What the papers share: compilation, caches, validation, quadrature, ensembles."""
