"""Comments become docstrings: the text alone, with the declaration it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from epsilon.foreign.ext.discovery.parser.comments import doc_text

Declared = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("/** One line. */", "One line."),
        ("/// Slashes.\n/// Two lines.", "Slashes.\nTwo lines."),
        ("/**\n * Stars.\n *\n * @param x a number\n */", "Stars.\n\n@param x a number"),
        ("/*\n** CAPI3REF: Two stars\n**\n** Text.\n*/", "CAPI3REF: Two stars\n\nText."),
        ("/**< behind a member */", "behind a member"),
        ("//!< behind, too", "behind, too"),
        ("/*\n     Indented\n   as zlib is.\n*/", "  Indented\nas zlib is."),
        ("/** @brief Short. */", "Short."),
        ("/**************\n * Boxed\n **************/", "Boxed"),
        ("/*------------*/", ""),
        ("/* */", ""),
        ("", ""),
        ("/** a\tb \x1b[31m \u202e */", "a  b  [31m"),
    ],
)
def test_the_marks_go_and_the_text_stays(comment: str, text: str) -> None:
    assert doc_text(comment) == text


def test_a_comment_belongs_to_what_it_stands_at(declared: Declared) -> None:
    found = declared(
        """
        /** Doxygen above. */
        int doxygen(void);

        /* plain, right above */
        int above(void);

        /*
         * A section of the header
         */

        int nothing(void);

        int below(void);
        /*
             As zlib writes it: right below.
        */


        int after(void);
        """
    )
    docs = {name: found[name].doc for name in ("doxygen", "above", "nothing", "below", "after")}
    assert docs == {
        "doxygen": "Doxygen above.",
        "above": "plain, right above",
        "nothing": "",
        "below": "As zlib writes it: right below.",
        "after": "",
    }


def test_members_and_constants_have_docs(declared: Declared) -> None:
    found = declared(
        """
        struct s {
            int a; /**< the first */
            /** the second */
            int b;
            int c; /* plain */
        };
        enum e { ONE, /**< one */ TWO /* two */ };
        """
    )
    assert [f.doc for f in found["s"].fields] == ["the first", "the second", "plain"]
    assert found["e"].enumerators[0].doc == "one"
