using CcmFhir.Fhir;
using CcmFhir.Journal;

namespace CcmFhir.Pages;

/// <summary>A patient's name as lists show it.</summary>
internal static class PatientName
{
    /// <summary>Family and given names of the first name that has any; the id where there is none.</summary>
    public static string Of(StreamRecord record, string id)
    {
        if (record.Find("Patient", id)?.Current is not { Deleted: false } patient)
        {
            return id;
        }
        foreach (var name in PracticeRecords.Parse(patient)["name"u8].Items)
        {
            var given = new List<string>();
            foreach (var one in name["given"u8].Items)
            {
                given.Add(one.Text ?? "");
            }
            var family = name["family"u8].Text;
            if (family is not null || given.Count > 0)
            {
                return string.Join(
                    ", ",
                    new[] { family, string.Join(' ', given) }.Where(part => !string.IsNullOrEmpty(part))
                );
            }
        }
        return id;
    }
}
