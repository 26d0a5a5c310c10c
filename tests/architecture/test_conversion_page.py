from tests.documents.conversion import PAGE, page


def test_the_page_of_conversions_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run: make docs"
