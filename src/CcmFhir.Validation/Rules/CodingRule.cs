using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation.Rules;

/// <summary>A Coding anywhere: where its code system is known here, the code is one of it (else an error), and the display is the
/// code's own (else a warning: people read displays in their own words and languages, and no meaning hangs on them).</summary>
internal sealed class CodingRule : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot && scope.Base is null && scope.Node.Structure.Type == "Coding")
        {
            into.OfValue.Add(new Known(scope.Compiler.Terminology));
        }
    }

    private sealed class Known(TerminologySet terminology) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var (system, code) = (spot.Value["system"u8], spot.Value["code"u8]);
            if (system.Kind != JsonKind.String || code.Kind != JsonKind.String)
            {
                return;
            }
            var canonical = system.Text!;
            var text = code.Text!;
            var codes = terminology.CodeSystem(canonical);
            if (codes.Find(System.Text.Encoding.UTF8.GetBytes(text)) == Membership.NotIn)
            {
                if (!walk.Wants(Severity.Error))
                {
                    return;
                }
                walk.Add(
                    Severity.Error,
                    "code-invalid",
                    "code-unknown",
                    code,
                    $"{canonical} has no code '{Nearest.Shown(text)}'" + Hint(walk, text, codes)
                );
            }
            else if (
                spot.Value["display"u8].Text is { } display
                && terminology.Display(canonical, text) is { } own
                && !Same(display, own)
            )
            {
                walk.Add(
                    Severity.Warning,
                    "code-invalid",
                    "display",
                    spot.Value["display"u8],
                    $"The display of {canonical}#{Nearest.Shown(text)} is '{own}', not '{Nearest.Shown(display)}'."
                );
            }
        }

        private static string Hint(Walk walk, string text, Codes codes)
        {
            if (walk.Hint(codes, text, () => NearestCode.To(text, codes.Listed)) is { } near)
            {
                return $"; did you mean '{near}'?";
            }
            var listed = codes.Listed.Take(13).ToArray();
            return listed.Length is 0 or 13 ? "." : $"; it has {string.Join(", ", listed)}.";
        }

        private static bool Same(string left, string right) =>
            string.Equals(left.Trim(), right.Trim(), StringComparison.OrdinalIgnoreCase);
    }
}
