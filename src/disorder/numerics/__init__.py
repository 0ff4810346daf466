"""What the papers share: compilation, validation, quadrature, ensembles."""
