"""Types that compute number by number, said with types that every runtime has: rules, by what is lacking.

``docs/patterns.md`` tells how to read them. They are exact but for the last bits of floats.
"""

from __future__ import annotations

from collections.abc import Mapping

_NOTHING = """
    {type} nothing 1 1 x y
    =>
    y = x

    --- between an input and an output of the network
    {type} nothing 1 1 x y
    =>
    Dropout nothing 1 1 x y
"""
_SOFTPLUS = """
    {type} soft 1 1 x y
    =>
    ReLU     positive 1 1 x p
    UnaryOp  abs      1 1 x a  op_type=abs
    UnaryOp  neg      1 1 a n  op_type=neg
    UnaryOp  exp      1 1 n e  op_type=exp
    BinaryOp plus     1 1 e s  op_type=add with_scalar=1 b=1.0
    UnaryOp  log      1 1 s l  op_type=log
    BinaryOp soft     2 1 p l y op_type=add
"""

RULES: Mapping[str, str] = {
    "AbsVal": """
        AbsVal  abs 1 1 x y
        =>
        UnaryOp abs 1 1 x y  op_type=abs
    """,
    "BNLL": _SOFTPLUS.format(type="BNLL"),
    "CELU": """
        CELU     celu  1 1 x y  alpha=?alpha alpha!=0
        =>
        ReLU     above 1 1 x p
        BinaryOp below 1 1 x n  op_type=min with_scalar=1 b=0.0
        BinaryOp part  1 1 n d  op_type=div with_scalar=1 b=?alpha
        UnaryOp  exp   1 1 d e  op_type=exp
        BinaryOp less  1 1 e l  op_type=sub with_scalar=1 b=1.0
        BinaryOp times 1 1 l t  op_type=mul with_scalar=1 b=?alpha
        BinaryOp celu  2 1 p t y op_type=add
    """,
    "Clip": """
        Clip     clip  1 1 x y  min=?low max=?high
        =>
        BinaryOp least 1 1 x a  op_type=max with_scalar=1 b=?low
        BinaryOp clip  1 1 a y  op_type=min with_scalar=1 b=?high
    """,
    "DeepCopy": _NOTHING.format(type="DeepCopy"),
    "ELU": """
        ELU      elu   1 1 x y  alpha=?alpha
        =>
        ReLU     above 1 1 x p
        BinaryOp below 1 1 x n  op_type=min with_scalar=1 b=0.0
        UnaryOp  exp   1 1 n e  op_type=exp
        BinaryOp less  1 1 e l  op_type=sub with_scalar=1 b=1.0
        BinaryOp times 1 1 l t  op_type=mul with_scalar=1 b=?alpha
        BinaryOp elu   2 1 p t y op_type=add
    """,
    "Exp": """
        Exp      exp   1 1 x y  base=-1 scale=1 shift=0
        =>
        UnaryOp  exp   1 1 x y  op_type=exp

        --- of another number
        Exp      exp   1 1 x y  base=-1 scale=?scale shift=?shift
        =>
        BinaryOp scale 1 1 x a  op_type=mul with_scalar=1 b=?scale
        BinaryOp shift 1 1 a b  op_type=add with_scalar=1 b=?shift
        UnaryOp  exp   1 1 b y  op_type=exp

        --- to another base
        Exp      exp   1 1 x y  base=?base base>0 scale=?scale shift=?shift
        =>
        BinaryOp scale 1 1 x a  op_type=mul with_scalar=1 b=?scale
        BinaryOp shift 1 1 a b  op_type=add with_scalar=1 b=?shift
        BinaryOp exp   1 1 b y  op_type=rpow with_scalar=1 b=?base
    """,
    "GLU": """
        GLU      glu   1 1 x y  axis=?axis
        =>
        Slice    half  1 2 x a b  slices=-233,-233 axis=?axis
        Sigmoid  gate  1 1 b s
        BinaryOp glu   2 1 a s y  op_type=mul
    """,
    "HardSigmoid": """
        HardSigmoid hard 1 1 x y  alpha=?alpha alpha>0 beta=?beta
        =>
        BinaryOp slope 1 1 x a  op_type=mul with_scalar=1 b=?alpha
        BinaryOp shift 1 1 a b  op_type=add with_scalar=1 b=?beta
        BinaryOp least 1 1 b c  op_type=max with_scalar=1 b=0.0
        BinaryOp hard  1 1 c y  op_type=min with_scalar=1 b=1.0
    """,
    "HardSwish": """
        HardSwish hard 1 1 x y  alpha=?alpha alpha>0 beta=?beta
        =>
        BinaryOp slope 1 1 x a  op_type=mul with_scalar=1 b=?alpha
        BinaryOp shift 1 1 a b  op_type=add with_scalar=1 b=?beta
        BinaryOp least 1 1 b c  op_type=max with_scalar=1 b=0.0
        BinaryOp most  1 1 c d  op_type=min with_scalar=1 b=1.0
        BinaryOp hard  2 1 x d y  op_type=mul
    """,
    "Log": """
        Log      log   1 1 x y  base=-1 scale=1 shift=0
        =>
        UnaryOp  log   1 1 x y  op_type=log

        --- of another number
        Log      log   1 1 x y  base=-1 scale=?scale shift=?shift
        =>
        BinaryOp scale 1 1 x a  op_type=mul with_scalar=1 b=?scale
        BinaryOp shift 1 1 a b  op_type=add with_scalar=1 b=?shift
        UnaryOp  log   1 1 b y  op_type=log
    """,
    "Mish": """
        Mish     mish  1 1 x y
        =>
        ReLU     positive 1 1 x p
        UnaryOp  abs      1 1 x a  op_type=abs
        UnaryOp  neg      1 1 a n  op_type=neg
        UnaryOp  exp      1 1 n e  op_type=exp
        BinaryOp plus     1 1 e s  op_type=add with_scalar=1 b=1.0
        UnaryOp  log      1 1 s l  op_type=log
        BinaryOp soft     2 1 p l t op_type=add
        TanH     tanh     1 1 t h
        BinaryOp mish     2 1 x h y op_type=mul
    """,
    "Noop": _NOTHING.format(type="Noop"),
    "Power": """
        Power    power 1 1 x y  scale=1 shift=0 power=?power
        =>
        BinaryOp power 1 1 x y  op_type=pow with_scalar=1 b=?power

        --- of the first degree
        Power    power 1 1 x y  scale=?scale shift=?shift power=1
        =>
        BinaryOp scale 1 1 x a  op_type=mul with_scalar=1 b=?scale
        BinaryOp power 1 1 a y  op_type=add with_scalar=1 b=?shift

        --- any
        Power    power 1 1 x y  scale=?scale shift=?shift power=?power
        =>
        BinaryOp scale 1 1 x a  op_type=mul with_scalar=1 b=?scale
        BinaryOp shift 1 1 a b  op_type=add with_scalar=1 b=?shift
        BinaryOp power 1 1 b y  op_type=pow with_scalar=1 b=?power
    """,
    "SELU": """
        SELU     selu  1 1 x y  alpha=?alpha lambda=?lambda
        =>
        ReLU     above 1 1 x p
        BinaryOp below 1 1 x n  op_type=min with_scalar=1 b=0.0
        UnaryOp  exp   1 1 n e  op_type=exp
        BinaryOp less  1 1 e l  op_type=sub with_scalar=1 b=1.0
        BinaryOp times 1 1 l t  op_type=mul with_scalar=1 b=?alpha
        BinaryOp both  2 1 p t u op_type=add
        BinaryOp selu  1 1 u y  op_type=mul with_scalar=1 b=?lambda
    """,
    "Shrink": """
        Shrink   shrink 1 1 x y  bias=?bias lambd=?bias bias>=0
        =>
        BinaryOp above  1 1 x a  op_type=sub with_scalar=1 b=?bias
        ReLU     high   1 1 a p
        UnaryOp  neg    1 1 x n  op_type=neg
        BinaryOp below  1 1 n b  op_type=sub with_scalar=1 b=?bias
        ReLU     low    1 1 b q
        BinaryOp shrink 2 1 p q y op_type=sub

        --- that only cuts
        Shrink   shrink 1 1 x y  bias=0 lambd=?lambd lambd>=0
        =>
        UnaryOp  abs    1 1 x a  op_type=abs
        BinaryOp above  1 1 a b  op_type=sub with_scalar=1 b=?lambd
        BinaryOp least  1 1 b c  op_type=max with_scalar=1 b=0.0
        BinaryOp most   1 1 c d  op_type=min with_scalar=1 b=1.0
        UnaryOp  mask   1 1 d m  op_type=ceil
        BinaryOp shrink 2 1 x m y op_type=mul
    """,
    "Softplus": _SOFTPLUS.format(type="Softplus"),
    "Swish": """
        Swish    swish 1 1 x y
        =>
        Sigmoid  gate  1 1 x s
        BinaryOp swish 2 1 x s y  op_type=mul
    """,
    "Threshold": """
        Threshold over 1 1 x y  threshold=?threshold
        =>
        BinaryOp above 1 1 x a  op_type=sub with_scalar=1 b=?threshold
        BinaryOp least 1 1 a b  op_type=max with_scalar=1 b=0.0
        BinaryOp most  1 1 b c  op_type=min with_scalar=1 b=1.0
        UnaryOp  over  1 1 c y  op_type=ceil
    """,
    "BinaryOp.0=9": """
        BinaryOp rpow 2 1 a b y  op_type=rpow
        =>
        BinaryOp rpow 2 1 b a y  op_type=pow
    """,
    "BinaryOp.0=14": """
        BinaryOp sum   2 1 a b y  op_type=logaddexp
        =>
        BinaryOp most  2 1 a b m  op_type=max
        BinaryOp apart 2 1 a b d  op_type=sub
        UnaryOp  abs   1 1 d f    op_type=abs
        UnaryOp  neg   1 1 f n    op_type=neg
        UnaryOp  exp   1 1 n e    op_type=exp
        BinaryOp plus  1 1 e s    op_type=add with_scalar=1 b=1.0
        UnaryOp  log   1 1 s l    op_type=log
        BinaryOp sum   2 1 m l y  op_type=add

        --- with a number
        BinaryOp sum   1 1 a y    op_type=logaddexp with_scalar=1 b=?number
        =>
        BinaryOp most  1 1 a m    op_type=max with_scalar=1 b=?number
        BinaryOp apart 1 1 a d    op_type=sub with_scalar=1 b=?number
        UnaryOp  abs   1 1 d f    op_type=abs
        UnaryOp  neg   1 1 f n    op_type=neg
        UnaryOp  exp   1 1 n e    op_type=exp
        BinaryOp plus  1 1 e s    op_type=add with_scalar=1 b=1.0
        UnaryOp  log   1 1 s l    op_type=log
        BinaryOp sum   2 1 m l y  op_type=add
    """,
    "BinaryOp.0=15": """
        BinaryOp whole 2 1 a b y  op_type=floor_divide
        =>
        BinaryOp part  2 1 a b q  op_type=div
        UnaryOp  whole 1 1 q y    op_type=floor

        --- with a number
        BinaryOp whole 1 1 a y    op_type=floor_divide with_scalar=1 b=?number
        =>
        BinaryOp part  1 1 a q    op_type=div with_scalar=1 b=?number
        UnaryOp  whole 1 1 q y    op_type=floor
    """,
    "BinaryOp.0=16": """
        BinaryOp whole 2 1 a b y  op_type=rfloor_divide
        =>
        BinaryOp part  2 1 a b q  op_type=rdiv
        UnaryOp  whole 1 1 q y    op_type=floor

        --- with a number
        BinaryOp whole 1 1 a y    op_type=rfloor_divide with_scalar=1 b=?number
        =>
        BinaryOp part  1 1 a q    op_type=rdiv with_scalar=1 b=?number
        UnaryOp  whole 1 1 q y    op_type=floor
    """,
    "Tile": """
        Tile     once 1 1 x y  repeats=[] tiles=1
        =>
        y = x
    """,
    "UnaryOp.0=17": """
        UnaryOp  log10 1 1 x y  op_type=log10
        =>
        UnaryOp  log   1 1 x l  op_type=log
        BinaryOp log10 1 1 l y  op_type=mul with_scalar=1 b=0.43429448
    """,
    "UnaryOp.0=20": """
        UnaryOp  sign  1 1 x y  op_type=sign
        =>
        BinaryOp zero  1 1 x a  op_type=max with_scalar=1 b=0.0
        BinaryOp one   1 1 a b  op_type=min with_scalar=1 b=1.0
        UnaryOp  up    1 1 b p  op_type=ceil
        BinaryOp null  1 1 x c  op_type=min with_scalar=1 b=0.0
        BinaryOp unit  1 1 c d  op_type=max with_scalar=1 b=-1.0
        UnaryOp  down  1 1 d n  op_type=floor
        BinaryOp sign  2 1 p n y  op_type=add
    """,
    "UnaryOp.0=22": """
        UnaryOp  sinh  1 1 x y  op_type=sinh
        =>
        UnaryOp  exp   1 1 x e  op_type=exp
        UnaryOp  neg   1 1 x n  op_type=neg
        UnaryOp  less  1 1 n f  op_type=exp
        BinaryOp both  2 1 e f s  op_type=sub
        BinaryOp sinh  1 1 s y  op_type=mul with_scalar=1 b=0.5
    """,
    "UnaryOp.0=24": """
        UnaryOp  cosh  1 1 x y  op_type=cosh
        =>
        UnaryOp  exp   1 1 x e  op_type=exp
        UnaryOp  neg   1 1 x n  op_type=neg
        UnaryOp  less  1 1 n f  op_type=exp
        BinaryOp both  2 1 e f s  op_type=add
        BinaryOp cosh  1 1 s y  op_type=mul with_scalar=1 b=0.5
    """,
}
"""By a type (``Swish``) or a value of a param (``UnaryOp.0=22`` is id 0 of UnaryOp, and its value 22)."""
