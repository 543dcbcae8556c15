"""Real small parts the tests are made of: servers, repositories, recordings."""
