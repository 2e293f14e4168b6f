"""The language of selectors: what is taken, how it is printed, and what the errors say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ParseError
from ncnnparam.selectors import Both, Either, Not, Reach, Selector, Trait, Types, Word, is_word, parse
from ncnnparam.selectors.parse import DEEPEST, LONGEST

CONDITIONS = [
    condition
    for text in (
        "*[kernel_w=3, num_output>64, 0!=1|2, 31<=4]",
        "BinaryOp[op_type=add|sub, b<0.5, with_scalar=on]",
        "Reduction[axes=0,1, axes!=[], 3=-1,2, operation=3]",
        'Reshape[shape_expr="1w,1h", 6=abc]',
        "Crop[30=2,4,5]",
    )
    for selector in [parse(text)]
    if isinstance(selector, Types)
    for condition in selector.conditions
]

type_words = st.sampled_from(["Convolution", "Conv*", "Re[LS]*", "*", "torch.mean", "a::b", "and", "or"]).map(
    Word
)
bare_names = st.from_regex(r"[A-Za-z0-9_./:@#*?-]{1,8}", fullmatch=True).map(Word)
quoted_names = st.text(st.characters(exclude_characters='"\r\n', exclude_categories=()), max_size=8).map(
    lambda text: Word(text, quoted=True)
)
names = bare_names | quoted_names
numbers = st.integers(0, 10**9 - 1).map(lambda number: Word(str(number)))


def some(words: st.SearchStrategy[Word]) -> st.SearchStrategy[tuple[Word, ...]]:
    return st.lists(words, min_size=1, max_size=3).map(tuple)


leaves: st.SearchStrategy[Selector] = st.one_of(
    st.builds(Types, some(type_words)),
    st.builds(
        Types,
        st.just((Word("*"),)),
        st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Trait, st.sampled_from(["name", "type"]), st.sampled_from(["=", "!="]), some(names)),
    st.builds(
        Trait,
        st.sampled_from(["line", "index", "inputs", "outputs", "weights"]),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        some(numbers),
    ),
)


def larger(terms: st.SearchStrategy[Selector]) -> st.SearchStrategy[Selector]:
    several = st.lists(terms, min_size=2, max_size=3).map(tuple)
    places = terms | quoted_names
    return st.one_of(
        st.builds(Not, terms),
        st.builds(Both, several),
        st.builds(Either, several),
        st.builds(Reach, st.sampled_from(["after", "before"]), st.tuples(places)),
        st.builds(Reach, st.just("between"), st.tuples(places, places)),
    )


selectors = st.recursive(leaves, larger, max_leaves=12)


@given(selectors)
def test_what_is_printed_parses_to_the_same(selector: Selector) -> None:
    assert parse(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Convolution", "Convolution"),
        (" Conv* | InnerProduct [ 0 = 1 ,2>3 ] ", "Conv*|InnerProduct[0=1, 2>3]"),
        ("a or b and not c", "a or b and not c"),
        ("(a or b) and (not (c))", "(a or b) and not c"),
        ("not (a and b)", "not (a and b)"),
        ("not(a)and(b)or(c)", "not a and b or c"),
        ("a and (b and c)", "a and (b and c)"),
        ("after( in0 ) or between(a,b)", "after(in0) or between(a, b)"),
        ('before("a b")', 'before("a b")'),
        ("name = a|b*", "name=a|b*"),
        ("Crop[9=1,2, 10=3,4]", "Crop[9=1,2, 10=3,4]"),
        ("Crop[9=1,2,10=3,4]", "Crop[9=1,2, 10=3,4]"),
        ("nothing and order", "nothing and order"),  # words that begin like not and or
        ("conv_[0-9]*", "conv_[0-9]*"),
        ("Conv[123]d[0=1]", "Conv[123]d[0=1]"),
    ],
)
def test_canonical_spelling(text: str, printed: str) -> None:
    assert str(parse(text)) == printed


def test_values_have_the_kinds_of_the_language() -> None:
    selector = parse('Unknown[0=1, 1=1.5, 2=abc, 3="a b", 4=1,2, 5=[], 6=1|x]')
    assert isinstance(selector, Types)
    values = [getattr(condition.operand, "values", None) for condition in selector.conditions]
    assert values == [(1,), (1.5,), ("abc",), ("a b",), ((1, 2),), ((),), (1, "x")]


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("", 1, "something is missing here", None),
        ("Conv and", 9, "something is missing here", None),
        ("Conv ReLU", 6, "'ReLU' has no place here", None),
        ("(Conv", 6, "something is missing here", None),
        ("Conv)", 5, "')' has no place here", None),
        ("Conv[", 6, "something is missing here", None),
        ("Conv[0=]", 8, "']' has no place here", None),
        ('name="a', 6, "'\"a' has no place here", None),
        ("aftr(x)", 1, "there is no function 'aftr'", "did you mean after?"),
        ("ReLU and xyz(x)", 10, "there is no function 'xyz'", "there are after, before, between"),
        ("between(a)", 1, "between() takes two places, not 1", None),
        ("nam=x", 1, "there is no trait 'nam'", "did you mean name?"),
        ("kernel_w=3", 1, "there is no trait 'kernel_w'", "*[kernel_w=...]"),
        ("line=x", 6, "line is a number of at most 9 digits, not 'x'", None),
        ("line=9999999999", 6, "line is a number of at most 9 digits", None),
        ("name<x", 5, "name is a word, which is compared by = and !=", None),
        ("Convolution[kernal_w=3]", 13, "Convolution has no param 'kernal_w'", "did you mean kernel_w"),
        ("Split[xyz=3]", 7, "Split has no param 'xyz'", "ncnnparam explain Split"),
        ("*[kernal_w=3]", 3, "no type '*' has a param 'kernal_w'", "did you mean kernel_w"),
        ("Convolution|ReLU[kernel_w=3]", 18, "ReLU has no param 'kernel_w'", None),
        ("Convolutoin[num_output=3]", 13, "the params of 'Convolutoin' are not known", "Convolution"),
        ("My.Own[size=3]", 8, "the params of 'My.Own' are not known", "use the id"),
        ("Conv*[32=1]", 7, "the id of a param is within 0 to 31", None),
        (f"Conv*[{'9' * 5000}=1]", 7, "the id of a param is within 0 to 31", None),
        ("BinaryOp[op_type=ad]", 18, "op_type is of type int, not 'ad'", "there are add, sub"),
        ("Convolution[num_output=1.5]", 24, "num_output is of type int, not '1.5'", None),
        ("Crop[axes>1,2]", 11, "> compares numbers, and '1,2' is none", None),
        ("Custom[0<abc]", 10, "< compares numbers, and 'abc' is none", None),
        ("Custom[0=2.f]", 10, "'2.f' has something behind the number", None),
        ("Custom[0=99999999999]", 10, "beyond a 32-bit int", None),
        ("not " * (DEEPEST + 1) + "ReLU", 1, f"more than {DEEPEST} deep", None),
    ],
)
def test_errors_show_the_place(text: str, column: int, message: str, hint: str | None) -> None:
    with pytest.raises(ParseError) as raised:
        parse(text)
    error = raised.value
    assert (error.line, error.column) == (1, column)
    assert message in error.message
    assert hint is None or hint in (error.hint or "")
    assert str(error).splitlines()[2].strip() == "^"


def test_errors_tell_what_would_be_right() -> None:
    with pytest.raises(ParseError) as raised:
        parse("after(in0")
    assert raised.value.expected == (")", "a comma")


def test_limits() -> None:
    assert parse("(" * 500 + "ReLU" + ")" * 500) == Types((Word("ReLU"),))
    long = "ReLU or " * (LONGEST // 8 - 1) + "ReLU"
    parsed = parse(long)
    assert isinstance(parsed, Either)
    assert len(parsed.terms) == LONGEST // 8
    with pytest.raises(ParseError, match=f"at most {LONGEST} characters"):
        parse("x" * (LONGEST + 1))


@given(st.text(max_size=30) | st.text('ab*[]()=<>!|,"0 not', max_size=12))
def test_any_text_is_a_selector_or_a_parse_error(text: str) -> None:
    try:
        selector = parse(text)
    except ParseError:
        return
    assert parse(str(selector)) == selector


@pytest.mark.parametrize("word", ["relu", "dropout_*", "conv_[0-9]?", "a/b.c:d@0#1-2", "x[!a]", "not"])
def test_words(word: str) -> None:
    assert is_word(word)


@pytest.mark.parametrize("text", ["", "a b", "a|b", "name=a", "after(a)", "Conv[0=1]", "a<b", '"a"', "a,b"])
def test_no_words(text: str) -> None:
    assert not is_word(text)
