from services.admin.public.ask.wording import LONGEST_WORD, words


def test_names_are_found_as_a_whole_and_by_their_pieces() -> None:
    assert words("Is qwen-4o-mini there?") == ("qwen-4o-mini", "qwen", "4o", "mini")


def test_what_says_nothing_is_left_out_and_the_same_is_one_word() -> None:
    assert words("What are the costs and fees of a LLM") == ("price", "model")


def test_there_is_a_bound() -> None:
    assert len(words(" ".join(f"w{number}" for number in range(100)), 32)) == 32
    assert words("x" * (LONGEST_WORD + 1)) == ()
