namespace CcmFhir.Domain;

/// <summary>Units of one code that are earned.</summary>
/// <param name="Code">CPT or HCPCS code.</param>
/// <param name="Units">How many.</param>
/// <param name="Threshold">Seconds at which the last of them was earned.</param>
public sealed record EarnedCode(string Code, int Units, long Threshold);

/// <summary>One family as it was earned.</summary>
/// <param name="Family">staff, complex, practitioner ...</param>
/// <param name="Codes">Base first.</param>
/// <param name="Seconds">Seconds that went into it.</param>
/// <param name="Surplus">Seconds above the unit cap, which nothing bills (CCM-T02); 0 where no cap was reached.</param>
public sealed record EarnedFamily(string Family, IReadOnlyList<EarnedCode> Codes, long Seconds, long Surplus);

/// <summary>How far the next unit is.</summary>
/// <param name="Code">Its code.</param>
/// <param name="At">Seconds at which it is earned.</param>
/// <param name="Missing">Seconds that are missing.</param>
public sealed record NextUnit(string Code, long At, long Missing);

/// <summary>Which codes the counted seconds earn. Thresholds are met in full or not at all: no midpoint rounding, no rounding of a total (rules T1, T2).</summary>
public static class CodeSelection
{
    /// <summary>What a family earns; null below its threshold.</summary>
    /// <param name="family">The family's row for the day of service.</param>
    /// <param name="seconds">Counted seconds that may go into it.</param>
    /// <param name="cap">Most units of the add-on; 0 for no cap.</param>
    public static EarnedFamily? Earn(FamilyRow family, long seconds, int cap)
    {
        ArgumentNullException.ThrowIfNull(family);
        if (seconds < family.Seconds)
        {
            return null;
        }
        var codes = new List<EarnedCode> { new(family.Base, 1, family.Seconds) };
        if (family.AddOn is not { } addOn)
        {
            return new EarnedFamily(family.Family, codes, seconds, 0);
        }
        var units = (seconds - family.Seconds) / family.Step;
        var surplus = 0L;
        if (cap > 0 && units >= cap)
        {
            units = cap;
            surplus = seconds - family.Seconds - (cap * family.Step);
        }
        if (units > 0)
        {
            codes.Add(new EarnedCode(addOn, (int)units, family.Seconds + (units * family.Step)));
        }
        return new EarnedFamily(family.Family, codes, seconds, surplus);
    }

    /// <summary>The next unit of a family; null where it is capped, or has no further unit.</summary>
    public static NextUnit? Next(FamilyRow family, long seconds, int cap)
    {
        ArgumentNullException.ThrowIfNull(family);
        if (seconds < family.Seconds)
        {
            return new NextUnit(family.Base, family.Seconds, family.Seconds - seconds);
        }
        if (family.AddOn is null)
        {
            return null;
        }
        var units = ((seconds - family.Seconds) / family.Step) + 1;
        var at = family.Seconds + (units * family.Step);
        return cap > 0 && units > cap ? null : new NextUnit(family.AddOn, at, at - seconds);
    }
}
