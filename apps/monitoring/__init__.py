"""What people see of the background jobs: pages, JSON, Prometheus."""
