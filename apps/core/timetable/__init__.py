"""The timetable as people see it: gathered, judged, drawn."""
