"""What isn't HTML by its type is escaped."""

from services.admin.public.pages.html import Html, html, lines, tag


def test_texts_are_escaped_and_html_is_not() -> None:
    assert html("<b>", Html("<i>"), "&") == "&lt;b&gt;<i>&amp;"
    assert tag("p", "a < b", tag("b", "&")) == "<p>a &lt; b<b>&amp;</b></p>"


def test_what_is_joined_with_html_is_a_text_again() -> None:
    joined = tag("b", "x") + "<script>"
    assert tag("p", joined) == "<p>&lt;b&gt;x&lt;/b&gt;&lt;script&gt;</p>"
    assert "&lt;b&gt;" in tag("p", f"{tag('b')}")


def test_attributes() -> None:
    made = tag("input", type="text", value="\"'<>", hidden=True, class_="a b", aria_label=None, disabled=False)
    assert made == '<input type="text" value="&quot;&#x27;&lt;&gt;" hidden class="a b">'


def test_lines_leave_out_what_is_empty() -> None:
    assert lines("a", "", Html("<br>"), Html()) == "a\n<br>"
