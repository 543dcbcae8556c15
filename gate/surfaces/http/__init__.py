"""The gate behind HTTP: strict answers for pipelines that ask by webhook."""
