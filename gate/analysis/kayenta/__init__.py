"""Kayenta's NetflixACAJudge-v1.0 reproduced from its behaviour, for teams that migrate."""
