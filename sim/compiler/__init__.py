"""What will run: scenario and routes become a plan of integer arrays, demand becomes a workload."""
