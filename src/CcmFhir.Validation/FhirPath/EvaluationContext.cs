namespace CcmFhir.Validation.FhirPath;

/// <summary>What an evaluation may see and use beside its focus. One for each validation; not safe to share between threads.</summary>
/// <param name="resource">The resource that <c>%resource</c> is.</param>
public sealed class EvaluationContext(FhirElement resource)
{
    private const int MaxSteps = 20_000_000;

    [ThreadStatic]
    private static Scratch? scratchOfThread;

    private readonly Scratch scratch = scratchOfThread ??= new Scratch();
    private readonly DateTimeOffset? now;
    private FhirElement? root;
    private int steps;
    private long spent;

    /// <summary><c>%resource</c>: the innermost resource that holds the focus (a contained resource is one of its own).</summary>
    public FhirElement Resource { get; set; } = resource;

    /// <summary><c>%rootResource</c>: the container of a contained resource, else the resource itself.</summary>
    public FhirElement RootResource
    {
        get => root ?? Resource;
        set => root = value;
    }

    /// <summary>The types that are known.</summary>
    public TypeModel Types { get; init; } = TypeModel.Structural;

    /// <summary>The instant that now(), today() and timeOfDay() say, with the offset they say it in.</summary>
    /// <exception cref="FhirPathException">It was not set.</exception>
    public DateTimeOffset Now
    {
        get =>
            now ?? throw new FhirPathException("now(), today() and timeOfDay() need a clock, and none was given here.");
        init => now = value;
    }

    /// <summary>Finds what a reference points to: the element that holds it, its text. Null to look among the contained resources only.</summary>
    public Func<FhirElement, string, FhirElement>? Resolve { get; init; }

    /// <summary>Whether a code, Coding or CodeableConcept is in a ValueSet; null as answer when that is not known here.</summary>
    public Func<FhirPathValue, string, bool?>? MemberOf { get; init; }

    /// <summary>Whether a resource or element meets a profile; null as answer when that is not known here.</summary>
    public Func<FhirElement, string, bool?>? ConformsTo { get; init; }

    /// <summary>Values of variables such as <c>%us-zip</c>, by their name without percent sign.</summary>
    public IReadOnlyDictionary<string, FhirPathValue>? Variables { get; init; }

    /// <summary>Most steps of all evaluations with this context together; then each is refused.</summary>
    public long Budget { get; init; } = long.MaxValue;

    /// <summary><c>%context</c>: the focus that the whole expression is evaluated on.</summary>
    internal FhirPathValue Focus { get; private set; }

    internal ValueList Rent() => scratch.Rent();

    internal void Return(ValueList list) => scratch.Return(list);

    /// <summary>How many lists are out.</summary>
    internal int Rented => scratch.Used;

    /// <summary>Gives back what was rented since, where an exception was caught on the way.</summary>
    internal void ReturnDownTo(int rented) => scratch.Release(rented);

    /// <summary>Counts work, and ends an evaluation that takes too much of it.</summary>
    internal void Step(int count = 1)
    {
        steps += count;
        if (steps > MaxSteps)
        {
            throw new FhirPathException($"The expression was given up after {MaxSteps} steps on this resource.")
            {
                IsTooCostly = true,
            };
        }
    }

    /// <summary>No further evaluation is made.</summary>
    internal bool IsSpent => spent > Budget;

    /// <summary>Counts work that is not counted in steps.</summary>
    internal void Spend(int count) => spent += count;

    /// <exception cref="FhirPathException">The budget is spent.</exception>
    internal void GoOn()
    {
        if (IsSpent)
        {
            throw new FhirPathException(
                $"The rules in FHIRPath took more than {Budget} steps on this document together, so no more of them are asked."
            )
            {
                IsTooCostly = true,
            };
        }
    }

    internal Entry Enter(in FhirPathValue focus)
    {
        GoOn();
        var entry = new Entry(this);
        Focus = focus;
        return entry;
    }

    /// <summary>Gives back, whatever happened, the lists and the focus of the evaluation around this one.</summary>
    internal readonly ref struct Entry(EvaluationContext context)
    {
        private readonly FhirPathValue focus = context.Focus;
        private readonly int used = context.scratch.Used;
        private readonly int steps = context.steps;

        public void Dispose()
        {
            context.Focus = focus;
            context.scratch.Release(used);
            context.spent += context.steps - steps;
            context.steps = steps;
        }
    }

    private sealed class Scratch
    {
        private readonly List<ValueList> lists = [];

        public int Used { get; private set; }

        public ValueList Rent()
        {
            if (Used == lists.Count)
            {
                lists.Add(new ValueList());
            }
            return lists[Used++];
        }

        public void Return(ValueList list)
        {
            list.Clear();
            Used--;
        }

        public void Release(int used)
        {
            while (Used > used)
            {
                lists[--Used].Clear();
            }
        }
    }
}
