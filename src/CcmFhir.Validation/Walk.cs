using System.Text.RegularExpressions;
using CcmFhir.Validation.FhirPath;
using CcmFhir.Validation.Rules;

namespace CcmFhir.Validation;

/// <summary>One validation under way: goes through the document once with the shapes and collects what the checks find. Not thread-safe; one a call.</summary>
internal sealed class Walk
{
    // Steps of FHIRPath in one validation: the official examples take 13 a value at most, and two millions.
    private const int LeastBudget = 20_000_000;
    private const int StepsPerValue = 200;

    // Profiles may lead through references from resource to resource; beyond this nothing new is asked of a reader.
    private const int MaxHops = 12;

    private readonly Findings findings = new();
    private readonly Dictionary<(int At, Shape Shape), Outcome> outcomes = [];
    private readonly HashSet<(int At, Shape Shape)> reported = [];
    private readonly ProfileCompiler compiler;
    private readonly FhirElement root;
    private readonly Func<string, FhirElement, string?>? choose;
    private readonly FhirJson document;
    private readonly EvaluationContext context;
    private bool demoted;
    private int hops;
    private bool quiet;
    private int failures;

    public Walk(
        ProfileCompiler compiler,
        FhirElement root,
        TimeProvider? clock,
        Func<string, FhirElement, string?>? choose = null
    )
    {
        this.compiler = compiler;
        this.root = root;
        this.choose = choose;
        document = root.Document;
        context = clock is null ? NewContext() : NewContext(clock.GetLocalNow());
    }

    private enum Outcome
    {
        UnderWay,
        Passes,
        Fails,
    }

    private EvaluationContext NewContext(DateTimeOffset? now = null)
    {
        var questions = new Questions(this);
        var budget = LeastBudget + ((long)StepsPerValue * document.Count);
        return now is { } instant
            ? new EvaluationContext(root)
            {
                Types = compiler.Types,
                Resolve = questions.Resolve,
                MemberOf = questions.MemberOf,
                ConformsTo = questions.ConformsTo,
                Budget = budget,
                Now = instant,
            }
            : new EvaluationContext(root)
            {
                Types = compiler.Types,
                Resolve = questions.Resolve,
                MemberOf = questions.MemberOf,
                ConformsTo = questions.ConformsTo,
                Budget = budget,
            };
    }

    public ProfileCompiler Compiler => compiler;

    public FhirJson Document => document;

    /// <summary>Every resource in the document and what references point at; made when first asked for.</summary>
    public ResourceMap Resources => document.Resources;

    /// <summary>Validates the resource.</summary>
    public Report Run(IReadOnlyList<string>? profiles)
    {
        foreach (var fault in document.Faults)
        {
            findings.Add(Finding.OfFault(fault));
        }
        if (TypeRule.ResourceLink(this, root) is { } type)
        {
            var spot = new Spot(root, default, type);
            Resource(spot);
            foreach (var canonical in profiles ?? [])
            {
                MetaProfile.Apply(this, spot, canonical, root, asked: true);
            }
        }
        return ReportWriter.Write(document, compiler, findings);
    }

    /// <summary>A resource anywhere: its type, then the profiles that it claims.</summary>
    public void Resource(in Spot spot)
    {
        Apply(spot.Type.Shape, spot);
        MetaProfile.ApplyClaimed(this, spot);
        if (choose is not null && !IsContained(spot.Value) && choose(spot.Type.Code, spot.Value) is { } chosen)
        {
            MetaProfile.Apply(this, spot, chosen, spot.Value, asked: true);
        }
    }

    /// <summary>Checks a value and everything below it against a shape.</summary>
    public void Apply(Shape shape, in Spot spot)
    {
        if (!spot.Type.IsResource)
        {
            Below(shape, spot);
            return;
        }
        var (outer, outerRoot) = (context.Resource, context.RootResource);
        context.Resource = spot.Value;
        context.RootResource = IsContained(spot.Value) ? Resources.Container(spot.Value)!.Element : spot.Value;
        Below(shape, spot);
        (context.Resource, context.RootResource) = (outer, outerRoot);
    }

    private static bool IsContained(FhirElement resource)
    {
        var above = resource.Parent;
        return above.Exists && (above.Kind == JsonKind.Array ? above : resource).NameUtf8.SequenceEqual("contained"u8);
    }

    private void Below(Shape shape, in Spot spot)
    {
        foreach (var check in shape.Checks)
        {
            check.Check(this, spot);
        }
        var owner = spot.Object;
        if (owner.Kind == JsonKind.Object && (shape.Slots.Length > 0 || shape.IsType))
        {
            Properties(shape, owner);
        }
    }

    private void Properties(Shape shape, FhirElement owner)
    {
        Span<Found> found = stackalloc Found[shape.Slots.Length];
        foreach (var property in owner.Children)
        {
            var index = shape.Names.Find(property);
            if (index < 0)
            {
                if (shape.IsType)
                {
                    PropertiesRule.Unknown(this, shape, property);
                }
                continue;
            }
            var entry = shape.Entries[index];
            ref var at = ref found[entry.Slot];
            ref var mine = ref entry.IsSibling ? ref at.Sibling : ref at.Value;
            if (mine != 0 || (at.Any && at.Type != entry.Type))
            {
                if (shape.IsType)
                {
                    PropertiesRule.Repeated(this, shape.Slots[entry.Slot], at.Type == entry.Type, property);
                }
                continue;
            }
            mine = property.Index;
            at.Any = true;
            at.Type = entry.Type;
        }
        for (var index = 0; index < shape.Slots.Length; index++)
        {
            var slot = shape.Slots[index];
            ref var at = ref found[index];
            if (!at.Any && slot.ListChecks.Length == 0)
            {
                continue;
            }
            Values(
                shape.IsType,
                new Occurrences(
                    owner,
                    slot,
                    at.Value == 0 ? default : new FhirElement(document, at.Value),
                    at.Sibling == 0 ? default : new FhirElement(document, at.Sibling),
                    slot.Types[at.Type]
                ),
                at
            );
        }
    }

    private void Values(bool isType, in Occurrences all, in Found found)
    {
        var slot = all.Slot;
        if (isType && found.Any)
        {
            PropertiesRule.Form(this, all, found.Value, found.Sibling);
        }
        foreach (var check in slot.ListChecks)
        {
            check.Check(this, all);
        }
        if (!found.Any || (!isType && slot.ValueChecks.Length == 0 && slot.Inner is null))
        {
            return;
        }
        foreach (var one in all)
        {
            Value(isType, slot, one);
        }
    }

    private void Value(bool isType, Slot slot, in Spot one)
    {
        var spot = one;
        if (one.Type.IsAnyResource)
        {
            // Faults in resourceType are told once, by the type's own walk.
            if ((isType ? TypeRule.ResourceLink(this, one.Value) : compiler.ResourceType(one.Value)) is not { } type)
            {
                return;
            }
            spot = one with { Type = type };
        }
        else if (isType && (!TypeRule.HasForm(this, one) || IsEmpty(one) || !HasFormat(one)))
        {
            // What has no form has no meaning either: nothing else is asked of it, so that one fault gives one issue.
            return;
        }
        Apply(slot.ValueChecks, spot);
        if (slot.Inner is not null)
        {
            Apply(slot.Inner, spot);
        }
        if (!isType)
        {
            return;
        }
        if (spot.Type.IsResource)
        {
            Resource(spot);
        }
        else if (spot.Type.IsPrimitive)
        {
            if (spot.Sibling.Kind == JsonKind.Object)
            {
                Apply(compiler.PrimitiveChildren, spot);
            }
        }
        else if (slot.Inner is not { IsType: true })
        {
            Apply(spot.Type.Shape, spot);
        }
    }

    private bool HasFormat(in Spot spot) =>
        !spot.Type.IsPrimitive || !spot.Value.Exists || PrimitiveFormat.Check(this, spot);

    /// <summary>An element has a value or children; an id alone is neither (ele-1).</summary>
    private bool IsEmpty(in Spot spot)
    {
        if (spot.Value.Exists && spot.Value.Kind != JsonKind.Object)
        {
            return false;
        }
        foreach (var property in spot.Object.Children)
        {
            if (!property.NameUtf8.SequenceEqual("id"u8))
            {
                return false;
            }
        }
        Add(
            Severity.Error,
            "invariant",
            "ele-1",
            spot.At,
            "The element is empty; an element has a value or children, so leave it out when there is nothing to say."
        );
        return true;
    }

    /// <summary>The values of one property of an object; <paramref name="inner"/> is the shape of their content where the object's shape has it.</summary>
    public Occurrences Children(Shape shape, FhirElement owner, string name, out Shape? inner)
    {
        inner = null;
        var found = default(Found);
        Slot? slot = null;
        foreach (var property in owner.Children)
        {
            var index = shape.Names.Find(property);
            if (index < 0 || shape.Slots[shape.Entries[index].Slot] is var candidate && candidate.Name != name)
            {
                continue;
            }
            var entry = shape.Entries[index];
            slot = shape.Slots[entry.Slot];
            (entry.IsSibling ? ref found.Sibling : ref found.Value) = property.Index;
            found.Type = entry.Type;
        }
        if (slot is null)
        {
            return default;
        }
        inner = slot.Inner is { IsType: true } own ? own : null;
        return new Occurrences(
            owner,
            slot,
            found.Value == 0 ? default : new FhirElement(document, found.Value),
            found.Sibling == 0 ? default : new FhirElement(document, found.Sibling),
            slot.Types[found.Type]
        );
    }

    /// <summary>Whether an invariant holds for a value; a result that is empty counts as not holding.</summary>
    /// <exception cref="FhirPathException">It cannot be worked out on this value.</exception>
    public bool Holds(CompiledExpression expression, in Spot spot, TypeShape? inline) =>
        expression.Holds(
            context,
            FhirPathValue.Of(spot.Value, inline ?? spot.Type.ForFhirPath(compiler.Types), spot.Sibling)
        ) == true;

    /// <summary>Whether a pattern is found in a text.</summary>
    /// <exception cref="FhirPathException">It takes too long, or too much was asked already.</exception>
    public bool IsMatch(Regex regex, string text)
    {
        context.GoOn();
        return Patterns.IsMatch(regex, text, context);
    }

    /// <summary>A rule that cannot be answered is no fault of the resource (pd-1 of R4 asks two endpoints for one truth value): it counts as not
    /// checked. One that a resource makes too costly is an error, or whoever wants to break a rule would only have to be long enough.</summary>
    public void NotAnswered(string rule, FhirElement at, FhirPathException reason)
    {
        if (reason.IsTooCostly)
        {
            Add(
                Severity.Error,
                "too-costly",
                "too-costly",
                context.IsSpent ? root : at,
                context.IsSpent ? reason.Message : $"Rule {rule} is not answered: {reason.Message}"
            );
        }
        else if (!quiet && findings.HasRoomForNotChecked)
        {
            NotChecked($"Rule {rule} at {ElementPaths.Of(compiler, at, null)}: {reason.Message}");
        }
    }

    /// <summary>Runs checks on a value.</summary>
    public void Apply(ValueCheck[] checks, in Spot spot)
    {
        foreach (var check in checks)
        {
            check.Check(this, spot);
        }
    }

    /// <summary>How many errors a value has against a shape; nothing is reported.</summary>
    public int Failures(Shape shape, in Spot spot)
    {
        var (outerQuiet, outerFailures) = (quiet, failures);
        (quiet, failures) = (true, 0);
        hops++;
        Apply(shape, spot);
        hops--;
        var count = failures;
        (quiet, failures) = (outerQuiet, outerFailures);
        return count;
    }

    /// <summary>True when a value meets a shape; nothing is reported. A question that is being answered already counts as met
    /// (profiles may refer to each other in a circle).</summary>
    public bool Passes(Shape shape, in Spot spot)
    {
        if (shape.IsEmpty)
        {
            return true;
        }
        var key = (spot.At.Index, shape);
        if (outcomes.TryGetValue(key, out var known))
        {
            return known != Outcome.Fails;
        }
        if (hops >= MaxHops)
        {
            return true;
        }
        outcomes[key] = Outcome.UnderWay;
        var (outerQuiet, outerFailures) = (quiet, failures);
        (quiet, failures) = (true, 0);
        hops++;
        Apply(shape, spot);
        hops--;
        var passes = failures == 0;
        (quiet, failures) = (outerQuiet, outerFailures);
        outcomes[key] = passes ? Outcome.Passes : Outcome.Fails;
        return passes;
    }

    /// <summary>Tells what is wrong with a value that did not pass a shape, once and not for ever in a circle of profiles.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="spot">The value.</param>
    /// <param name="asInformation">Errors are told as information: they explain an error that stands elsewhere.</param>
    public void Explain(Shape shape, in Spot spot, bool asInformation = false)
    {
        if (hops < MaxHops && reported.Add((spot.At.Index, shape)))
        {
            var outer = demoted;
            demoted |= asInformation;
            hops++;
            Apply(shape, spot);
            hops--;
            demoted = outer;
        }
    }

    /// <summary>Only asking: nothing is reported.</summary>
    public bool IsQuiet => quiet;

    /// <summary>True when a value passes checks; nothing is reported.</summary>
    public bool Passes(ValueCheck[] checks, in Spot spot)
    {
        var (outerQuiet, outerFailures) = (quiet, failures);
        (quiet, failures) = (true, 0);
        Apply(checks, spot);
        var passes = failures == 0;
        (quiet, failures) = (outerQuiet, outerFailures);
        return passes;
    }

    /// <summary>Something could not be checked here; said once in the report.</summary>
    public void NotChecked(string what)
    {
        if (!quiet)
        {
            findings.AddNotChecked(what);
        }
    }

    /// <summary>Notes a finding.</summary>
    /// <param name="severity">How bad.</param>
    /// <param name="type">FHIR issue type.</param>
    /// <param name="rule">Stable rule id.</param>
    /// <param name="at">Where.</param>
    /// <param name="text">What was found and what would be right.</param>
    /// <param name="profile">Canonical of the profile; null for base R4.</param>
    /// <param name="below">Name of a property of <paramref name="at"/> that is not there; null for the value itself.</param>
    /// <param name="isExpression">An invariant in FHIRPath, whose failure may only follow from something else.</param>
    public void Add(
        Severity severity,
        string type,
        string rule,
        FhirElement at,
        string text,
        string? profile = null,
        string? below = null,
        bool isExpression = false
    )
    {
        if (!Wants(severity))
        {
            return;
        }
        findings.Add(new Finding(Told(severity), type, rule, at, below, text, profile, null, isExpression));
    }

    /// <summary>Whether a finding of that severity will be told; asked before a text is made that costs something. When it is not, it is
    /// counted here, and need not be added.</summary>
    public bool Wants(Severity severity)
    {
        if (quiet)
        {
            failures += severity <= Severity.Error ? 1 : 0;
            return false;
        }
        return findings.HasRoom(Told(severity));
    }

    /// <summary>What somebody probably meant; null when nothing is near.</summary>
    /// <param name="candidates">What is searched, as an object.</param>
    /// <param name="text">What was written.</param>
    /// <param name="find">Finds it.</param>
    public string? Hint(object candidates, string text, Func<string?> find) => findings.Hint(candidates, text, find);

    private Severity Told(Severity severity) => demoted && severity == Severity.Error ? Severity.Information : severity;

    private struct Found
    {
        public int Value;
        public int Sibling;
        public int Type;
        public bool Any;
    }
}
