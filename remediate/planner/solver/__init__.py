"""The solver: the best set of changes that the constraints allow, exactly."""
