"""Reading: the objectives a team has already declared, in OpenSLO, Sloth or Pyrra files."""
