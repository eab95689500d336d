"""The numbers of the jobs: written where things happen, read where people look."""
