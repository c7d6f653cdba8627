"""Twice means blind: of a call that a grader has still to grade they see nothing that others gave it. Pure."""

from __future__ import annotations

OPEN_OF = """
    SELECT listed.call_id FROM review_due AS due INDEXED BY review_due_by_grader
        CROSS JOIN review_list AS listed ON listed.drawing_id = due.drawing_id AND listed.n = due.n
    WHERE due.grader = {grader} AND due.done = 0
"""
"""Those calls, as a question within another one."""
