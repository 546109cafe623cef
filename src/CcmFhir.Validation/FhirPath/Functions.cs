using System.Collections.Frozen;
using System.Text;

namespace CcmFhir.Validation.FhirPath;

/// <summary>The functions of FHIRPath (http://hl7.org/fhirpath/N1) and those that FHIR adds (http://hl7.org/fhir/R4/fhirpath.html).</summary>
internal static class Functions
{
    private static readonly FrozenDictionary<string, Entry> Known = new Dictionary<string, Entry>(
        StringComparer.Ordinal
    )
    {
        // Existence
        ["empty"] = new(0, 0, (focus, _) => new ExistsNode(focus, wanted: false)),
        ["exists"] = new(
            0,
            1,
            (focus, arguments) =>
                new ExistsNode(arguments.Length == 0 ? focus : new WhereNode(focus, arguments[0]), wanted: true)
        ),
        ["any"] = new(
            0,
            1,
            (focus, arguments) =>
                new ExistsNode(arguments.Length == 0 ? focus : new WhereNode(focus, arguments[0]), wanted: true)
        ),
        ["all"] = new(1, 1, (focus, arguments) => new AllNode(focus, arguments[0])),
        ["allTrue"] = Many(
            0,
            (in Frame _, ValueList values, Node[] _, ValueList output) =>
                output.Add(FhirPathValue.Of(Each(values, wanted: true)))
        ),
        ["allFalse"] = Many(
            0,
            (in Frame _, ValueList values, Node[] _, ValueList output) =>
                output.Add(FhirPathValue.Of(Each(values, wanted: false)))
        ),
        ["anyTrue"] = Many(
            0,
            (in Frame _, ValueList values, Node[] _, ValueList output) =>
                output.Add(FhirPathValue.Of(Some(values, wanted: true)))
        ),
        ["anyFalse"] = Many(
            0,
            (in Frame _, ValueList values, Node[] _, ValueList output) =>
                output.Add(FhirPathValue.Of(Some(values, wanted: false)))
        ),
        ["count"] = new(0, 0, (focus, _) => new CountNode(focus)),
        ["not"] = new(0, 0, (focus, _) => new NotNode(focus)),
        ["distinct"] = new(0, 0, (focus, _) => new UnionNode(focus, null)),
        ["isDistinct"] = new(0, 0, (focus, _) => new IsDistinctNode(focus)),
        ["subsetOf"] = Set(SetNode.Kind.SubsetOf),
        ["supersetOf"] = Set(SetNode.Kind.SupersetOf),
        // Filtering, projection, subsetting, combining
        ["where"] = new(1, 1, (focus, arguments) => new WhereNode(focus, arguments[0])),
        ["select"] = new(1, 1, (focus, arguments) => new SelectNode(focus, arguments[0])),
        ["repeat"] = new(1, 1, (focus, arguments) => new RepeatNode(focus, arguments[0])),
        ["aggregate"] = new(
            1,
            2,
            (focus, arguments) => new AggregateNode(focus, arguments[0], arguments.ElementAtOrDefault(1))
        ),
        ["iif"] = new(
            2,
            3,
            (focus, arguments) => new IifNode(focus, arguments[0], arguments[1], arguments.ElementAtOrDefault(2))
        ),
        ["single"] = Many(
            0,
            (in Frame _, ValueList values, Node[] _, ValueList output) =>
            {
                if (values.Count > 1)
                {
                    throw new FhirPathException($"single() was called on {values.Count} values.");
                }
                output.AddRange(values.Span);
            }
        ),
        ["first"] = Slice((_, _) => (0, 1)),
        ["last"] = Slice((count, _) => (count - 1, 1)),
        ["tail"] = Slice((count, _) => (1, count - 1)),
        ["skip"] = Slice((count, number) => (number, count), 1),
        ["take"] = Slice((_, number) => (0, number), 1),
        ["combine"] = Set(SetNode.Kind.Combine),
        ["intersect"] = Set(SetNode.Kind.Intersect),
        ["exclude"] = Set(SetNode.Kind.Exclude),
        ["union"] = new(1, 1, (focus, arguments) => new UnionNode(focus, arguments[0])),
        // Tree
        ["children"] = new(0, 0, (focus, _) => new ChildrenNode(focus, deep: false)),
        ["descendants"] = new(0, 0, (focus, _) => new ChildrenNode(focus, deep: true)),
        // Conversion
        ["toBoolean"] = To(FhirPathKind.Boolean),
        ["toInteger"] = To(FhirPathKind.Integer),
        ["toLong"] = To(FhirPathKind.Integer),
        ["toDecimal"] = To(FhirPathKind.Decimal),
        ["toString"] = To(FhirPathKind.String),
        ["toDate"] = To(FhirPathKind.Date),
        ["toDateTime"] = To(FhirPathKind.DateTime),
        ["toTime"] = To(FhirPathKind.Time),
        ["toQuantity"] = To(FhirPathKind.Quantity),
        ["convertsToBoolean"] = ConvertsTo(FhirPathKind.Boolean),
        ["convertsToInteger"] = ConvertsTo(FhirPathKind.Integer),
        ["convertsToLong"] = ConvertsTo(FhirPathKind.Integer),
        ["convertsToDecimal"] = ConvertsTo(FhirPathKind.Decimal),
        ["convertsToString"] = ConvertsTo(FhirPathKind.String),
        ["convertsToDate"] = ConvertsTo(FhirPathKind.Date),
        ["convertsToDateTime"] = ConvertsTo(FhirPathKind.DateTime),
        ["convertsToTime"] = ConvertsTo(FhirPathKind.Time),
        ["convertsToQuantity"] = ConvertsTo(FhirPathKind.Quantity),
        // Text
        ["startsWith"] = Text((text, other) => FhirPathValue.Of(text.StartsWith(other, StringComparison.Ordinal))),
        ["endsWith"] = Text((text, other) => FhirPathValue.Of(text.EndsWith(other, StringComparison.Ordinal))),
        ["contains"] = Text((text, other) => FhirPathValue.Of(text.Contains(other, StringComparison.Ordinal))),
        ["indexOf"] = Text((text, other) => FhirPathValue.Of((long)text.IndexOf(other, StringComparison.Ordinal))),
        ["lastIndexOf"] = Text(
            (text, other) => FhirPathValue.Of((long)text.LastIndexOf(other, StringComparison.Ordinal))
        ),
        ["upper"] = Text(text => FhirPathValue.Of(text.ToUpperInvariant())),
        ["lower"] = Text(text => FhirPathValue.Of(LowerCase(text))),
        ["trim"] = Text(text => FhirPathValue.Of(text.Trim())),
        ["length"] = Text(text => FhirPathValue.Of((long)text.Length)),
        ["substring"] = new(1, 2, (focus, arguments) => new ScalarNode(focus, Substring, arguments)),
        ["replace"] = new(2, 2, (focus, arguments) => new ScalarNode(focus, Replace, arguments)),
        ["matches"] = new(1, 1, (focus, arguments) => new PatternNode(focus, arguments[0], null, whole: false)),
        ["matchesFull"] = new(1, 1, (focus, arguments) => new PatternNode(focus, arguments[0], null, whole: true)),
        ["replaceMatches"] = new(
            2,
            2,
            (focus, arguments) => new PatternNode(focus, arguments[0], arguments[1], whole: false)
        ),
        ["toChars"] = Texts(0, (text, _) => text.Select(character => character.ToString())),
        ["split"] = Texts(1, (text, separator) => text.Split(separator)),
        ["join"] = Many(0, Join, 1),
        ["encode"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Coding.Encode, arguments)),
        ["decode"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Coding.Decode, arguments)),
        ["escape"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Coding.Escape, arguments)),
        ["unescape"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Coding.Unescape, arguments)),
        // Numbers
        ["abs"] = Number(decimal.Abs, keepsInteger: true),
        ["ceiling"] = Number(decimal.Ceiling, toInteger: true),
        ["floor"] = Number(decimal.Floor, toInteger: true),
        ["truncate"] = Number(decimal.Truncate, toInteger: true),
        ["exp"] = Float(Math.Exp),
        ["ln"] = Float(Math.Log),
        ["sqrt"] = Float(Math.Sqrt),
        ["log"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Log, arguments)),
        ["power"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Power, arguments)),
        ["round"] = new(0, 1, (focus, arguments) => new ScalarNode(focus, Round, arguments)),
        // Utility
        ["trace"] = new(1, 2, (focus, _) => focus),
        ["now"] = Clock(instant => FhirPathValue.Of(Temporal.DateTime(instant))),
        ["today"] = Clock(instant => FhirPathValue.Of(Temporal.Date(instant))),
        ["timeOfDay"] = Clock(instant => FhirPathValue.Of(Temporal.Time(instant))),
        ["lowBoundary"] = One((in Frame _, in FhirPathValue value, Node[] _) => Boundary(value, high: false), 1),
        ["highBoundary"] = One((in Frame _, in FhirPathValue value, Node[] _) => Boundary(value, high: true), 1),
        ["comparable"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, Comparable, arguments)),
        // FHIR
        ["extension"] = new(1, 1, (focus, arguments) => new ExtensionNode(focus, arguments[0])),
        ["hasValue"] = new(0, 0, (focus, _) => new HasValueNode(focus)),
        ["getValue"] = One(
            (in Frame _, in FhirPathValue value, Node[] _) => value.SystemKind == FhirPathKind.None ? default : value
        ),
        ["resolve"] = new(0, 0, (focus, _) => new ResolveNode(focus)),
        ["htmlChecks"] = One(HtmlChecks),
        ["htmlchecks"] = One(HtmlChecks),
        ["memberOf"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, MemberOf, arguments)),
        ["conformsTo"] = new(1, 1, (focus, arguments) => new ScalarNode(focus, ConformsTo, arguments)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>A call of a function.</summary>
    /// <exception cref="FhirPathException">There is no such function, or it takes another number of arguments.</exception>
    public static Node Create(string name, Node focus, Node[] arguments)
    {
        if (!Known.TryGetValue(name, out var entry))
        {
            throw new FhirPathException($"There is no function {name}().");
        }
        if (arguments.Length < entry.Least || arguments.Length > entry.Most)
        {
            var expected = entry.Least == entry.Most ? $"{entry.Least}" : $"{entry.Least} to {entry.Most}";
            throw new FhirPathException($"{name}() takes {expected} arguments, and {arguments.Length} are given.");
        }
        return entry.Create(focus, arguments);
    }

    private static Entry Many(int least, OnMany body, int most = -1) =>
        new(least, most < 0 ? least : most, (focus, arguments) => new FunctionNode(focus, body, arguments));

    private static Entry One(OnOne body, int most = 0) =>
        new(0, most, (focus, arguments) => new ScalarNode(focus, body, arguments));

    private static Entry Set(SetNode.Kind kind) =>
        new(1, 1, (focus, arguments) => new SetNode(kind, focus, arguments[0]));

    private static Entry To(FhirPathKind kind) =>
        One((in Frame _, in FhirPathValue value, Node[] _) => Conversion.To(kind, value));

    private static Entry ConvertsTo(FhirPathKind kind) =>
        One(
            (in Frame _, in FhirPathValue value, Node[] _) =>
                FhirPathValue.Of(Conversion.To(kind, value).Kind != FhirPathKind.None)
        );

    private static Entry Slice(Func<int, int, (int Start, int Length)> part, int arguments = 0) =>
        Many(
            arguments,
            (in Frame frame, ValueList values, Node[] given, ValueList output) =>
            {
                var number = 0L;
                if (given.Length > 0 && !(given[0].TryOne(frame, out var value) && value.TryLong(out number)))
                {
                    return;
                }
                var (start, length) = part(values.Count, (int)Math.Clamp(number, 0, int.MaxValue));
                start = Math.Clamp(start, 0, values.Count);
                output.AddRange(values.Span.Slice(start, Math.Clamp(length, 0, values.Count - start)));
            }
        );

    private static Entry Text(Func<string, FhirPathValue> body) =>
        One(
            (in Frame frame, in FhirPathValue value, Node[] _) =>
            {
                frame.Context.Step(1 + ((value.AsString()?.Length ?? 0) / 64));
                return value.AsString() is { } text ? body(text) : default;
            }
        );

    private static Entry Text(Func<string, string, FhirPathValue> body) =>
        new(
            1,
            1,
            (focus, arguments) =>
                new ScalarNode(
                    focus,
                    (in Frame frame, in FhirPathValue value, Node[] given) =>
                        value.AsString() is { } text && given[0].Text(frame) is { } other ? body(text, other) : default,
                    arguments
                )
        );

    private static Entry Texts(int arguments, Func<string, string, IEnumerable<string>> body) =>
        Many(
            arguments,
            (in Frame frame, ValueList values, Node[] given, ValueList output) =>
            {
                var other = given.Length > 0 ? given[0].Text(frame) : "";
                if (values.Count == 0 || values[0].AsString() is not { } text || other is null)
                {
                    return;
                }
                frame.Context.Step(text.Length);
                foreach (var part in body(text, other))
                {
                    output.Add(FhirPathValue.Of(part));
                }
            }
        );

    private static Entry Number(Func<decimal, decimal> body, bool keepsInteger = false, bool toInteger = false) =>
        One(
            (in Frame _, in FhirPathValue value, Node[] _) =>
            {
                if (value.SystemKind == FhirPathKind.Quantity && value.AsQuantity() is { } quantity && keepsInteger)
                {
                    return FhirPathValue.Of(new Quantity(body(quantity.Value), quantity.Unit, quantity.IsUcum));
                }
                if (!value.TryDecimal(out var number))
                {
                    return default;
                }
                var result = body(number);
                var whole = toInteger || (keepsInteger && Arithmetic.IsInteger(value));
                return whole && decimal.Abs(result) < long.MaxValue
                    ? FhirPathValue.Of((long)result)
                    : FhirPathValue.Of(result);
            }
        );

    private static Entry Float(Func<double, double> body) =>
        One(
            (in Frame _, in FhirPathValue value, Node[] _) =>
                value.TryDecimal(out var number) ? FromDouble(body((double)number)) : default
        );

    private static FhirPathValue FromDouble(double number) =>
        double.IsFinite(number) && Math.Abs(number) < 7e28 ? FhirPathValue.Of((decimal)number) : default;

    private static Entry Clock(Func<DateTimeOffset, FhirPathValue> read) =>
        Many(0, (in Frame frame, ValueList _, Node[] _, ValueList output) => output.Add(read(frame.Context.Now)));

    private static bool Each(ValueList values, bool wanted)
    {
        foreach (ref readonly var value in values.Span)
        {
            if (value.SystemKind != FhirPathKind.Boolean || value.IsTrue != wanted)
            {
                return false;
            }
        }
        return true;
    }

    private static bool Some(ValueList values, bool wanted)
    {
        foreach (ref readonly var value in values.Span)
        {
            if (value.SystemKind == FhirPathKind.Boolean && value.IsTrue == wanted)
            {
                return true;
            }
        }
        return false;
    }

    // FHIRPath's lower() is what programs mean by it; nothing is compared by the result here.
    private static string LowerCase(string text) =>
        string.Create(text.Length, text, static (target, source) => source.AsSpan().ToLowerInvariant(target));

    private static FhirPathValue Substring(in Frame frame, in FhirPathValue value, Node[] arguments)
    {
        if (
            value.AsString() is not { } text
            || !arguments[0].TryOne(frame, out var from)
            || !from.TryLong(out var start)
            || start < 0
            || start >= text.Length
        )
        {
            return default;
        }
        long length = text.Length;
        if (arguments.Length > 1 && arguments[1].TryOne(frame, out var given) && !given.TryLong(out length))
        {
            return default;
        }
        return length <= 0
            ? FhirPathValue.Of("")
            : FhirPathValue.Of(text.Substring((int)start, (int)Math.Min(length, text.Length - start)));
    }

    private static FhirPathValue Replace(in Frame frame, in FhirPathValue value, Node[] arguments)
    {
        if (
            value.AsString() is not { } text
            || arguments[0].Text(frame) is not { } pattern
            || arguments[1].Text(frame) is not { } by
        )
        {
            return default;
        }
        if (pattern.Length == 0)
        {
            // Around and between all characters, as the specification says.
            frame.Context.Step(text.Length);
            TextLength.Check((text.Length + 1L) * (by.Length + 1L));
            return FhirPathValue.Of(by + string.Concat(text.Select(character => character + by)));
        }
        TextLength.Check(text.Length + ((long)text.AsSpan().Count(pattern) * by.Length));
        var result = text.Replace(pattern, by, StringComparison.Ordinal);
        frame.Context.Step(1 + (result.Length / 64));
        return FhirPathValue.Of(result);
    }

    private static void Join(in Frame frame, ValueList values, Node[] arguments, ValueList output)
    {
        var separator = arguments.Length > 0 ? arguments[0].Text(frame) ?? "" : "";
        var joined = new StringBuilder();
        for (var index = 0; index < values.Count; index++)
        {
            joined.Append(index > 0 ? separator : "").Append(values[index].AsString());
            TextLength.Check(joined.Length);
        }
        frame.Context.Step(1 + (joined.Length / 64));
        output.Add(FhirPathValue.Of(joined.ToString()));
    }

    private static FhirPathValue Log(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        value.TryDecimal(out var number) && arguments[0].TryOne(frame, out var given) && given.TryDecimal(out var @base)
            ? FromDouble(Math.Log((double)number, (double)@base))
            : default;

    private static FhirPathValue Power(in Frame frame, in FhirPathValue value, Node[] arguments)
    {
        if (
            !value.TryDecimal(out var number)
            || !arguments[0].TryOne(frame, out var given)
            || !given.TryDecimal(out var exponent)
        )
        {
            return default;
        }
        var result = Math.Pow((double)number, (double)exponent);
        return Arithmetic.IsInteger(value) && Arithmetic.IsInteger(given) && exponent >= 0 && Math.Abs(result) < 1e15
            ? FhirPathValue.Of((long)result)
            : FromDouble(result);
    }

    private static FhirPathValue Round(in Frame frame, in FhirPathValue value, Node[] arguments)
    {
        var digits = 0L;
        if (
            !value.TryDecimal(out var number)
            || (
                arguments.Length > 0
                && !(arguments[0].TryOne(frame, out var given) && given.TryLong(out digits) && digits >= 0)
            )
        )
        {
            return default;
        }
        return FhirPathValue.Of(decimal.Round(number, (int)Math.Min(digits, 28), MidpointRounding.AwayFromZero));
    }

    private static FhirPathValue Boundary(in FhirPathValue value, bool high)
    {
        if (Comparison.IsTemporal(value.SystemKind))
        {
            return value.TryTemporal(out var temporal) ? FhirPathValue.Of(temporal.Boundary(high)) : default;
        }
        if (value.SystemKind == FhirPathKind.Quantity && value.AsQuantity() is { } quantity)
        {
            return FhirPathValue.Of(new Quantity(HalfStep(quantity.Value, high), quantity.Unit, quantity.IsUcum));
        }
        return value.TryDecimal(out var number)
            ? Arithmetic.Safely(() => FhirPathValue.Of(HalfStep(number, high)))
            : default;
    }

    // A decimal is known to half of its last place.
    private static decimal HalfStep(decimal number, bool high)
    {
        var half = new decimal(5, 0, 0, isNegative: false, (byte)Math.Min(number.Scale + 1, 28));
        return high ? number + half : number - half;
    }

    private static FhirPathValue Comparable(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        arguments[0].TryOne(frame, out var other) && value.AsQuantity() is { } a && other.AsQuantity() is { } b
            ? FhirPathValue.Of(Quantity.Compare(a, b) is not null)
            : default;

    private static FhirPathValue HtmlChecks(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        FhirPathValue.Of(value.AsString() is { } text && Xhtml.FaultOf(text) is null);

    private static FhirPathValue MemberOf(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        arguments[0].Text(frame) is { } valueSet && frame.Context.MemberOf?.Invoke(value, valueSet) is { } known
            ? FhirPathValue.Of(known)
            : default;

    private static FhirPathValue ConformsTo(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        arguments[0].Text(frame) is { } profile && frame.Context.ConformsTo?.Invoke(value.Element, profile) is { } known
            ? FhirPathValue.Of(known)
            : default;

    private sealed record Entry(int Least, int Most, Func<Node, Node[], Node> Create);
}
